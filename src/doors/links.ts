// Owns the directories from which Caddy knows agents: sockets and names, brought in line with the routes. Adding an agent that
// is reached this way changes nothing of Caddy's config.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type MoatPaths, wayInDirectory } from '../config/paths.js'
import { certificateHosts } from '../routing/certificate-hosts.js'
import { hostsOf, type RouteTable } from '../routing/route-table.js'
import { agentHost } from '../routing/urls.js'
import { insideAddress, linkDirectories, peerEndings, probeSuffix, quickSuffix, wayName } from '../routing/way-in.js'
import { AgentLinks, trustedFor } from './agent-links.js'
import { Names } from './names.js'

/** Addresses at which the proxy answers without a name. */
const addresses = ['127.0.0.1', '::1']

export interface LinksOptions {
  domain: string
  log: (message: string) => void
  /** Called when an agent that discovers may have others to show than before. */
  onDiscovery?: (() => void) | undefined
  paths: Pick<MoatPaths, 'agents' | 'proxy'>
  /** Instead of the usual, for tests. */
  trustedFor?: number
  uid: number
}

export class Links {
  readonly #agents = new Map<string, AgentLinks>()
  #applying: Promise<void> = Promise.resolve()
  readonly #expected: Names
  readonly #names: Names
  readonly #options: LinksOptions
  readonly #own: Names
  readonly #ports: Names
  readonly #staging: string
  #swept = false

  constructor(options: LinksOptions) {
    const { proxy } = options.paths
    const names = (name: string) => new Names(join(proxy, name), options.trustedFor ?? trustedFor)
    this.#options = options
    this.#expected = names(linkDirectories.expected)
    this.#names = names(linkDirectories.names)
    this.#own = names(linkDirectories.own)
    this.#ports = names(linkDirectories.ports)
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

  /** The agents whose sockets are not all there yet. */
  async #apply(table: RouteTable): Promise<AgentLinks[]> {
    const { domain } = this.#options
    await this.#sweep()
    // They have pages also while nothing listens.
    const pages = table.discovering.map(({ agent }) => agentHost(agent, domain))
    const names = new Set([...certificateHosts(hostsOf(table), domain), ...pages, ...addresses])
    const own = new Set([
      ...table.inside.map(({ agent, runId }) => `${insideAddress(runId)}/${agent}`),
      ...table.peers.map(({ peer, runId, state }) => `${insideAddress(runId)}/${peer}${peerEndings[state]}`),
    ])
    const expected = new Set(table.doors.map(({ host }) => host))
    const corrected = [...table.doors, ...table.upstreams].filter(
      ({ keepsRedirects, port }) => port !== undefined && !keepsRedirects,
    )
    const ports = new Set(corrected.map(({ host, port }) => `${host}/${port}`))
    const lists: [Names, Set<string>][] = [
      [this.#names, names],
      [this.#own, own],
      [this.#expected, expected],
      [this.#ports, ports],
    ]
    await Promise.all(lists.map(([list, wanted]) => list.add(wanted)))
    const wanted = this.#wantedLinks(table)
    for (const [runId, links] of this.#agents) {
      if (wanted.has(runId)) continue
      this.#agents.delete(runId)
      await links.close()
    }
    const pending = [...wanted].map(async ([runId, sockets]) => {
      const links = this.#of(runId, table)
      return (await links.want(sockets)) ? [] : [links]
    })
    const missing = (await Promise.all(pending)).flat()
    await Promise.all(lists.map(([list, wanted]) => list.keepOnly(wanted)))
    return missing
  }

  /** Leaves everything for the next supervisor. */
  leave(): void {
    for (const links of this.#agents.values()) links.leave()
  }

  #of(runId: string, { discovering }: RouteTable): AgentLinks {
    const { onDiscovery, paths, ...given } = this.#options
    const watched = onDiscovery && discovering.some((one) => one.runId === runId)
    const own = { ...given, directory: wayInDirectory(paths, runId), staging: this.#staging }
    const options = { ...own, ...(watched && { onChange: onDiscovery }) }
    const links = this.#agents.get(runId) ?? new AgentLinks(options)
    this.#agents.set(runId, links)
    return links
  }

  /** By run, links to the sockets that they are to. */
  #wantedLinks({ discovering, doors, ways }: RouteTable): Map<string, Map<string, string>> {
    const { agents, proxy } = this.#options.paths
    const wanted = new Map(discovering.map(({ runId }) => [runId, new Map<string, string>()]))
    const add = (runId: string, name: string, socket: string) => {
      const links = wanted.get(runId) ?? new Map<string, string>()
      wanted.set(runId, links.set(join(proxy, name), join(wayInDirectory({ agents }, runId), socket)))
    }
    for (const { host, port, runId } of doors) {
      add(runId, `${linkDirectories.hosts}/${host}`, `${port}`)
      add(runId, `${linkDirectories.quick}/${host}`, `${port}${quickSuffix}`)
    }
    for (const { port, runId } of ways) {
      for (const suffix of ['', quickSuffix, probeSuffix])
        add(runId, `${wayName(runId, port)}${suffix}`, `${port}${suffix}`)
    }
    return wanted
  }

  /** What an earlier supervisor linked is linked anew: nobody knows what became of it meanwhile. */
  async #sweep(): Promise<void> {
    if (this.#swept) return
    const { proxy } = this.#options.paths
    for (const name of ['hosts', 'quick', 'ways'] as const) {
      const directory = join(proxy, linkDirectories[name])
      await mkdir(directory, { mode: 0o700, recursive: true })
      for (const entry of await readdir(directory)) await rm(join(directory, entry), { force: true, recursive: true })
    }
    await rm(this.#staging, { force: true, recursive: true })
    await mkdir(this.#staging, { mode: 0o700, recursive: true })
    this.#swept = true
  }
}
