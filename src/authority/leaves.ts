// Owns the certificates of agents, a file each, which Caddy asks for at handshakes: made with the agent, made anew before they
// end and when there is another root, and gone some time after the agent.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { agentsOf } from '../routing/hosts-of-table.js'
import type { RouteTable } from '../routing/route-table.js'
import { agentHost } from '../routing/urls.js'
import { leafName, linkDirectories } from '../routing/way-in.js'
import { createLeaf, isGoodLeaf } from './leaf.js'

/** A tab that is still open when its agent ends is told so without a warning. Milliseconds. */
const outlives = 600_000
/** So many of agents that are gone, at most. */
const mostOfGone = 64
/** How long one is taken to be where it was put. Milliseconds. */
const trustedFor = 600_000
/** How often it is looked whether one is to be made anew, if nothing else happens. Milliseconds. */
const lookInterval = 60_000

export interface LeavesOptions {
  domain: string
  log: (message: string) => void
  /** Instead of the usual, for tests. */
  mostOfGone?: number
  paths: Pick<MoatPaths, 'caCertificate' | 'caKey' | 'proxy'>
}

export class Leaves {
  #complaint = ''
  readonly #directory: string
  /** Agents that are about to start. */
  readonly #expected = new Set<string>()
  /** When agents were last there, of those that are gone; in the order in which they went. */
  readonly #gone = new Map<string, number>()
  readonly #options: LeavesOptions
  /** The root of all certificates that are there. */
  #root = ''
  #swept = false
  #timer: NodeJS.Timeout | undefined
  /** When each has to be looked at again. */
  readonly #until = new Map<string, number>()
  #wanted: ReadonlySet<string> = new Set()
  #working: Promise<void> = Promise.resolve()

  constructor(options: LeavesOptions) {
    this.#options = options
    this.#directory = join(options.paths.proxy, linkDirectories.leaves)
  }

  /** Resolves when these agents have certificates. Where none can be made, Caddy makes those that it is asked for. */
  apply(table: RouteTable): Promise<void> {
    this.#wanted = new Set(agentsOf(table, this.#options.domain))
    this.#timer ??= setInterval(() => this.#look(), lookInterval).unref()
    return this.#look()
  }

  /** Resolves when an agent has a certificate that is not there yet; if it does not come, that is as if it had gone. */
  expect(agent: string): Promise<void> {
    this.#expected.add(agent)
    return this.#look()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** One after the other; what fails is told, and tried again. */
  #look(): Promise<void> {
    this.#working = this.#working
      .then(() => this.#bring())
      .then(
        () => this.#complain(''),
        (error) => this.#complain(`An agent has no certificate for names typed wrong: ${messageOf(error)}`),
      )
    return this.#working
  }

  #complain(message: string): void {
    if (message !== '' && message !== this.#complaint) this.#options.log(message)
    this.#complaint = message
  }

  async #bring(): Promise<void> {
    const { paths } = this.#options
    const now = Date.now()
    await this.#sweep(now)
    const due = (agent: string) => {
      const until = this.#until.get(agent) ?? 0
      // A clock that was put back has made certificates that are not valid yet.
      return until <= now || until > now + trustedFor
    }
    const expected = [...this.#expected]
    this.#expected.clear()
    for (const agent of expected) this.#gone.delete(agent)
    const agents = new Set([...this.#wanted, ...expected])
    const root = agents.size > 0 ? await readFile(paths.caCertificate, 'utf8') : this.#root
    if (root !== this.#root) await this.#forgetAll()
    this.#root = root
    const fresh = [...agents].filter(due)
    if (fresh.length === 0) return
    const key = await readFile(paths.caKey, 'utf8')
    for (const agent of fresh) await this.#make(agent, { certificate: root, key }, now)
  }

  async #make(agent: string, root: { certificate: string; key: string }, now: number): Promise<void> {
    const host = agentHost(agent, this.#options.domain)
    const path = join(this.#directory, leafName(agent))
    const present = await readFile(path, 'utf8').catch(() => '')
    if (!isGoodLeaf(present, root.certificate, host, now)) {
      const leaf = await createLeaf(root, host, now)
      // A root of which somebody has replaced one file so far signs for nobody.
      if (!isGoodLeaf(leaf, root.certificate, host, now)) throw new Error('the root and its key do not fit')
      // Somebody may have removed it.
      await mkdir(this.#directory, { mode: 0o700, recursive: true })
      const draft = join(this.#directory, `.${agent}`)
      // A directory in the place of either would be in the way at every look.
      await remove(draft)
      if (present === '') await remove(path)
      await writeFile(draft, leaf, { mode: 0o600 })
      await rename(draft, path)
    }
    this.#until.set(agent, now + trustedFor)
  }

  /** Those of an earlier root are of no use to anybody who trusts this one. */
  async #forgetAll(): Promise<void> {
    this.#until.clear()
    for (const agent of this.#gone.keys()) await remove(join(this.#directory, leafName(agent)))
    this.#gone.clear()
  }

  /** Removes what is of no agent, or of one that went some time ago. */
  async #sweep(now: number): Promise<void> {
    if (!this.#swept) {
      await mkdir(this.#directory, { mode: 0o700, recursive: true })
      const kept = new Set([...this.#wanted].map(leafName))
      for (const entry of await readdir(this.#directory))
        if (!kept.has(entry)) await remove(join(this.#directory, entry))
      this.#swept = true
    }
    for (const agent of this.#until.keys()) {
      if (this.#wanted.has(agent)) continue
      this.#until.delete(agent)
      this.#gone.set(agent, now)
    }
    for (const [agent, since] of this.#gone) {
      const back = this.#wanted.has(agent)
      if (!back && now - since < outlives && this.#gone.size <= (this.#options.mostOfGone ?? mostOfGone)) continue
      this.#gone.delete(agent)
      if (!back) await remove(join(this.#directory, leafName(agent)))
    }
  }
}

/** Whatever somebody has put there. Of a link, itself only. */
function remove(path: string): Promise<void> {
  return rm(path, { force: true, recursive: true })
}
