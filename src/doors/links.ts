// Owns the directories from which Caddy knows agents: sockets and names, brought in line with the routes. Adding an agent that
// is reached this way changes nothing of Caddy's config, and nothing of the others is looked at for it. That all is as it was
// left is looked at now and then.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as others } from 'node:timers/promises'
import { type MoatPaths, wayInDirectory } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { certificateHosts } from '../routing/certificate-hosts.js'
import { emptyTable, type RouteTable } from '../routing/route-table.js'
import { tableChanges } from '../routing/table-changes.js'
import { linkDirectories } from '../routing/way-in.js'
import { AgentLinks } from './agent-links.js'
import { Names } from './names.js'
import { changedNames, type NamedDirectory } from './names-of-table.js'
import { changedEntries, type RunEntry, wantedLinks } from './wanted-links.js'

/** Addresses at which the proxy answers without a name. */
const addresses = ['127.0.0.1', '::1']
/** How often it is made sure that everything is where it was put. Milliseconds. */
const lookInterval = 15_000
/** So many agents are looked at before others have their turn. */
const piece = 50

export interface LinksOptions {
  domain: string
  log: (message: string) => void
  /** Instead of the usual, for tests. */
  lookInterval?: number
  /** Called when an agent that discovers may have others to show than before. */
  onDiscovery?: (() => void) | undefined
  paths: Pick<MoatPaths, 'agents' | 'proxy'>
  uid: number
}

interface Run {
  /** Of the table. */
  entries: Set<RunEntry>
  links?: AgentLinks
}

export class Links {
  #applying: Promise<void> = Promise.resolve()
  /** Runs whose entries have changed since their links were made. */
  readonly #changed = new Set<string>()
  readonly #names: Readonly<Record<NamedDirectory, Names>>
  readonly #options: LinksOptions
  readonly #runs = new Map<string, Run>()
  readonly #staging: string
  #swept = false
  #table: RouteTable = emptyTable
  #timer: NodeJS.Timeout | undefined
  /** Runs whose sockets were not all there. */
  readonly #unsettled = new Set<string>()

  constructor(options: LinksOptions) {
    const { proxy } = options.paths
    const names = (name: NamedDirectory) => new Names(join(proxy, linkDirectories[name]))
    this.#options = options
    this.#names = { expected: names('expected'), names: names('names'), own: names('own'), ports: names('ports') }
    for (const name of [...certificateHosts([], options.domain), ...addresses]) this.#names.names.want(name)
    this.#staging = join(proxy, 'staging')
  }

  /** Resolves once the sockets of all these agents are linked, or are not going to be there soon. */
  async apply(table: RouteTable): Promise<void> {
    // One after the other; but who waits for a container does not keep others waiting.
    const fresh = this.#applying.then(() => this.#apply(table))
    this.#applying = fresh.then(
      () => {},
      () => {},
    )
    await Promise.all((await fresh).map((links) => links.settled()))
  }

  /** Leaves everything for the next supervisor. */
  leave(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const { links } of this.#runs.values()) links?.leave()
  }

  /** The agents whose sockets are not all there yet. */
  async #apply(table: RouteTable): Promise<AgentLinks[]> {
    if (!this.#swept) await this.#sweep()
    this.#take(table)
    const all = Object.values(this.#names)
    for (const names of all) names.make()
    const pending = [...new Set([...this.#changed, ...this.#unsettled])].flatMap((runId) => this.#bring(runId))
    for (const names of all) names.clear()
    return pending
  }

  /** What is to be otherwise. Nothing of it is done yet, so that what fails is not forgotten. */
  #take(table: RouteTable): void {
    const changes = tableChanges(this.#table, table)
    this.#table = table
    const { added, removed } = changedNames(changes, this.#options.domain)
    for (const [directory, name] of added) this.#names[directory].want(name)
    for (const [directory, name] of removed) this.#names[directory].drop(name)
    const entries = changedEntries(changes)
    for (const entry of entries.removed) {
      this.#runs.get(entry.runId)?.entries.delete(entry)
      this.#changed.add(entry.runId)
    }
    for (const entry of entries.added) {
      const run = this.#runs.get(entry.runId) ?? { entries: new Set() }
      this.#runs.set(entry.runId, run)
      run.entries.add(entry)
      this.#changed.add(entry.runId)
    }
  }

  /** The links of one run; those of one that is left out of the table go. Returned while its sockets are not all there. */
  #bring(runId: string): AgentLinks[] {
    const run = this.#runs.get(runId)
    const isChanged = this.#changed.has(runId)
    const { paths } = this.#options
    if (run && run.entries.size === 0) {
      run.links?.close()
      this.#runs.delete(runId)
    }
    let isSettled = true
    if (run && run.entries.size > 0) {
      run.links ??= this.#newLinks(runId, run.entries)
      isSettled = isChanged ? run.links.want(wantedLinks(run.entries, paths)) : run.links.check()
    }
    this.#changed.delete(runId)
    if (isSettled) this.#unsettled.delete(runId)
    else this.#unsettled.add(runId)
    return isSettled || !run?.links ? [] : [run.links]
  }

  #newLinks(runId: string, entries: Iterable<RunEntry>): AgentLinks {
    const { log, onDiscovery, paths, uid } = this.#options
    // What discovers has an entry without a port.
    const discovers = onDiscovery && [...entries].some((entry) => !('port' in entry))
    const directory = wayInDirectory(paths, runId)
    return new AgentLinks({ directory, log, staging: this.#staging, uid, ...(discovers && { onChange: onDiscovery }) })
  }

  /** What an earlier supervisor linked is linked anew: nobody knows what became of it meanwhile. */
  async #sweep(): Promise<void> {
    const { lookInterval: interval = lookInterval, paths } = this.#options
    for (const name of ['hosts', 'quick', 'ways'] as const) {
      const directory = join(paths.proxy, linkDirectories[name])
      await mkdir(directory, { mode: 0o700, recursive: true })
      for (const entry of await readdir(directory)) await rm(join(directory, entry), { force: true, recursive: true })
    }
    await rm(this.#staging, { force: true, recursive: true })
    await mkdir(this.#staging, { mode: 0o700, recursive: true })
    for (const names of Object.values(this.#names)) await names.read()
    this.#timer = setInterval(() => this.#lookQuietly(), interval).unref()
    this.#swept = true
  }

  #lookQuietly(): void {
    this.#look().catch((error) => this.#options.log(`not all names are where they were put: ${messageOf(error)}`))
  }

  /** Whoever has removed something has it back; what nobody could say was new is found. */
  async #look(): Promise<void> {
    for (const names of Object.values(this.#names)) {
      await names.read()
      names.make()
      names.clear()
    }
    for (const [index, { links }] of [...this.#runs.values()].entries()) {
      links?.check()
      if (index % piece === piece - 1) await others()
    }
  }
}
