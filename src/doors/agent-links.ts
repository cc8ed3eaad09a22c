// Owns the links to the sockets of one agent: made when its container has made the sockets, and again when it makes new ones.
import { type FSWatcher, watch } from 'node:fs'
import { lstat, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { systemCode } from '../errors.js'
import { type LinkOptions, linkSocket, NotASocketError } from './link-socket.js'

/** However often a container changes its sockets, that is looked at once in this time. Milliseconds. */
const restInterval = 250
/** What is changed together is looked at together. Milliseconds. */
const gatherTime = 20
/** How long a container that has just started may take to make its sockets. Milliseconds. */
const startDeadline = 2_000
/** How often one looks for sockets of a container that has just started, if nobody says that they are there. Milliseconds. */
const impatience = 5
/** For so long one takes it that links are where they were put. Milliseconds. */
export const trustedFor = 5_000

export interface AgentLinksOptions extends LinkOptions {
  /** Where the container makes its sockets. */
  directory: string
  log: (message: string) => void
  /** Called when something in the directory may have changed, at most once in the rest interval. */
  onChange?: () => void
  /** Instead of `trustedFor`. */
  trustedFor?: number
}

export class AgentLinks {
  readonly #options: AgentLinksOptions
  /** Links to the inodes that they lead to. */
  readonly #linked = new Map<string, number>()
  #checking: Promise<boolean> = Promise.resolve(true)
  #closed = false
  #complaint = ''
  #lastCheck = Number.NEGATIVE_INFINITY
  #scheduled: NodeJS.Timeout | undefined
  readonly #settledBy = performance.now() + startDeadline
  /** Links to the sockets that they are to. */
  #wanted: ReadonlyMap<string, string> = new Map()
  #watcher: FSWatcher | undefined

  constructor(options: AgentLinksOptions) {
    this.#options = options
  }

  /** Makes these links, and no others. True once all lead to sockets; they may not all be there yet. */
  async want(wanted: ReadonlyMap<string, string>): Promise<boolean> {
    const isRecent = performance.now() - this.#lastCheck < (this.#options.trustedFor ?? trustedFor)
    if (isRecent && sameEntries(wanted, this.#wanted) && (await this.#checking)) return true
    this.#wanted = wanted
    return this.check()
  }

  /** Resolves when all lead to sockets, or once the agent has had time enough to make them. Only a new one is waited for. */
  async settled(): Promise<void> {
    while (!(await this.check()) && performance.now() < this.#settledBy && !this.#closed) await wait(impatience)
  }

  /** True when every link leads to the socket that has its name now. */
  check(): Promise<boolean> {
    this.#checking = this.#checking.catch(() => false).then(() => this.#check())
    return this.#checking
  }

  /** Removes all of them. */
  async close(): Promise<void> {
    this.leave()
    await this.#checking.catch(() => false)
    for (const link of this.#linked.keys()) await rm(link, { force: true })
    this.#linked.clear()
  }

  /** Leaves them as they are, for the next supervisor. */
  leave(): void {
    this.#closed = true
    this.#endWatch()
    clearTimeout(this.#scheduled)
  }

  async #check(): Promise<boolean> {
    if (this.#closed) return true
    this.#lastCheck = performance.now()
    // Before the look: what changes after it is reported.
    this.#watch()
    for (const link of this.#linked.keys()) if (!this.#wanted.has(link)) await this.#remove(link)
    const results = await Promise.all([...this.#wanted].map(([link, source]) => this.#bring(link, source)))
    return results.every((done) => done)
  }

  async #bring(link: string, source: string): Promise<boolean> {
    try {
      const { ino } = await lstat(source)
      // Somebody may have removed it, or all of them.
      if (this.#linked.get(link) === ino && (await lstat(link).catch(() => undefined))?.ino === ino) return true
      for (const directory of [dirname(link), this.#options.staging])
        await mkdir(directory, { mode: 0o700, recursive: true })
      this.#linked.set(link, await linkSocket(source, link, this.#options))
      return true
    } catch (error) {
      // Not there yet, or not there any more: a socket that nobody listens on refuses, which is as good as none.
      if (systemCode(error) === 'ENOENT') return false
      await this.#remove(link)
      this.#complain(error instanceof NotASocketError ? error.message : String(error))
      return false
    }
  }

  async #remove(link: string): Promise<void> {
    this.#linked.delete(link)
    await rm(link, { force: true })
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
    this.check().catch((error) => this.#complain(String(error)))
  }
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}
