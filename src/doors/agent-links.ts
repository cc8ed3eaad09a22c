// Owns the links to the sockets of one agent: made when its container has made the sockets, and again when it makes new ones.
import { type FSWatcher, lstatSync, rmSync, watch } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, systemCode } from '../errors.js'
import { type LinkOptions, linkSocket, NotASocketError } from './link-socket.js'

/** However often a container changes its sockets, that is looked at once in this time. Milliseconds. */
const restInterval = 250
/** What is changed together is looked at together. Milliseconds. */
const gatherTime = 20
/** How long a container that has just started may take to make its sockets. Milliseconds. */
const startDeadline = 2_000
/** How often one looks for sockets of a container that has just started, if nobody says that they are there. Milliseconds. */
const impatience = 5

export interface AgentLinksOptions extends LinkOptions {
  /** Where the container makes its sockets. */
  directory: string
  log: (message: string) => void
  /** Called when something in the directory may have changed, at most once in the rest interval. */
  onChange?: () => void
}

/** Sockets, and the links that are to lead to each. */
export type WantedLinks = ReadonlyMap<string, readonly string[]>

export class AgentLinks {
  readonly #options: AgentLinksOptions
  /** Links to the inodes that they lead to. */
  readonly #linked = new Map<string, number>()
  #closed = false
  #complaint = ''
  #lastCheck = Number.NEGATIVE_INFINITY
  #scheduled: NodeJS.Timeout | undefined
  readonly #settledBy = performance.now() + startDeadline
  #wanted: WantedLinks = new Map()
  #watcher: FSWatcher | undefined

  constructor(options: AgentLinksOptions) {
    this.#options = options
  }

  /** Makes these links, and no others. True once all lead to sockets; they may not all be there yet. */
  want(wanted: WantedLinks): boolean {
    this.#wanted = wanted
    const links = new Set([...wanted.values()].flat())
    for (const link of this.#linked.keys()) if (!links.has(link)) this.#remove(link)
    return this.check()
  }

  /** Resolves when all lead to sockets, or once the agent has had time enough to make them. Only a new one is waited for. */
  async settled(): Promise<void> {
    while (!this.check() && performance.now() < this.#settledBy && !this.#closed) await wait(impatience)
  }

  /** True when every link leads to the socket that has its name now. */
  check(): boolean {
    if (this.#closed) return true
    this.#lastCheck = performance.now()
    // Before the look: what changes after it is reported.
    this.#watch()
    let all = true
    for (const [source, targets] of this.#wanted) if (!this.#bring(source, targets)) all = false
    return all
  }

  /** Removes all of them. */
  close(): void {
    this.leave()
    for (const link of this.#linked.keys()) this.#remove(link)
  }

  /** Leaves them as they are, for the next supervisor. */
  leave(): void {
    this.#closed = true
    this.#endWatch()
    clearTimeout(this.#scheduled)
  }

  #bring(source: string, targets: readonly string[]): boolean {
    try {
      if (this.#areInPlace(source, targets)) return true
      const inode = linkSocket(source, targets, this.#options)
      for (const target of targets) this.#linked.set(target, inode)
      return true
    } catch (error) {
      // Not there yet, or not there any more: a socket that nobody listens on refuses, which is as good as none.
      if (systemCode(error) === 'ENOENT') return false
      this.#complain(error instanceof NotASocketError ? error.message : String(error))
      for (const target of targets) this.#removeQuietly(target)
      return false
    }
  }

  #areInPlace(source: string, targets: readonly string[]): boolean {
    // What has never been linked need not be looked at for that.
    if (!targets.every((target) => this.#linked.has(target))) return false
    const { ino } = lstatSync(source)
    // Somebody may have removed it, or all of them.
    return targets.every(
      (target) => this.#linked.get(target) === ino && lstatSync(target, { throwIfNoEntry: false })?.ino === ino,
    )
  }

  #remove(link: string): void {
    this.#linked.delete(link)
    rmSync(link, { force: true })
  }

  #removeQuietly(link: string): void {
    try {
      this.#remove(link)
    } catch (error) {
      this.#complain(messageOf(error))
    }
  }

  /** A container that changes its sockets all the time is told of once. */
  #complain(message: string): void {
    if (this.#complaint === message) return
    this.#complaint = message
    this.#options.log(`not dialled: ${message}`)
  }

  /** One change is enough to look again: the watch ends with it, so that a flood of changes reaches nobody. */
  #watch(): void {
    // One that is there may have something to tell yet.
    if (this.#watcher) return
    try {
      this.#watcher = watch(this.#options.directory, { persistent: false }, () => {
        this.#endWatch()
        const rest = Math.max(gatherTime, this.#lastCheck + restInterval - performance.now())
        this.#scheduled = setTimeout(() => this.#checkQuietly(), rest).unref()
      })
      this.#watcher.on('error', () => this.#endWatch())
      // Whoever looked before there was a watch may have looked too early.
      this.#options.onChange?.()
    } catch {
      // Without a watch (there are too many, or the directory is gone) the regular look finds it.
      this.#watcher = undefined
    }
  }

  #endWatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #checkQuietly(): void {
    try {
      this.check()
    } catch (error) {
      this.#complain(messageOf(error))
    }
  }
}
