// Owns the doors between the proxy and agents' containers, as one thing: the sockets by which Caddy reaches their servers, the
// doorkeeper by which they reach Caddy, and the directories both are in.
import type { MoatPaths } from '../config/paths.js'
import type { RouteTable } from '../routing/route-table.js'
import { AgentDirectories, type SharingAgent } from './agent-directories.js'
import { Doorkeeper } from './doorkeeper.js'
import { Links } from './links.js'

export interface DoorsOptions {
  domain: string
  log: (message: string) => void
  /** Called when an agent that discovers may have others to show than before. */
  onDiscovery?: () => void
  paths: Pick<MoatPaths, 'agents' | 'doorsLog' | 'doorsSocket' | 'inside' | 'proxy'>
  /** The user whose sockets are dialled. */
  uid: number
}

export class Doors {
  readonly #directories: AgentDirectories
  readonly #doorkeeper: Doorkeeper
  readonly #links: Links
  #insideWas = ''

  constructor(options: DoorsOptions) {
    this.#directories = new AgentDirectories(options.paths, options.log)
    this.#doorkeeper = new Doorkeeper(options)
    this.#links = new Links(options)
  }

  /** Resolves when Caddy reaches these agents, and they reach Caddy. */
  async apply(table: RouteTable): Promise<void> {
    await Promise.all([this.#links.apply(table), this.#letOut(table)])
  }

  /** Removes the directories of agents that are gone, and makes those that are missing. */
  async sweep(agents: readonly SharingAgent[]): Promise<void> {
    await this.#directories.sweep(agents)
  }

  /** Leaves everything for the next supervisor. */
  leave(): void {
    this.#links.leave()
    this.#doorkeeper.leave()
  }

  async stop(): Promise<void> {
    this.#links.leave()
    await this.#doorkeeper.stop()
  }

  async #letOut({ inside }: RouteTable): Promise<void> {
    const now = inside.map(({ runId }) => runId).join()
    if (now === '' && this.#insideWas === '') return
    if (await this.#doorkeeper.scan()) this.#insideWas = now
  }
}
