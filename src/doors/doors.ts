// Owns the doors between the proxy and agents' containers, as one thing: the sockets by which Caddy reaches their servers, the
// doorkeeper by which they reach Caddy, the gate by which they reach the world, what their ssh takes for an agent, and the
// directories all are in.
import type { MoatPaths } from '../config/paths.js'
import { GateKeeper } from '../gate/gate-keeper.js'
import { type GatedAgentsOptions, gatedAgents } from '../gate/gated-agents.js'
import type { Agent } from '../routing/agent.js'
import type { RouteTable } from '../routing/route-table.js'
import { AgentDirectories, type SharingAgent } from './agent-directories.js'
import { Doorkeeper } from './doorkeeper.js'
import { Links } from './links.js'
import { SshAgents, type SshAgentsOptions } from './ssh-agents.js'

export interface DoorsOptions extends Pick<SshAgentsOptions, 'accessesOf'>, Pick<GatedAgentsOptions, 'grantMark'> {
  domain: string
  env: NodeJS.ProcessEnv
  log: (message: string) => void
  /** Called when an agent that discovers may have others to show than before. */
  onDiscovery?: () => void
  /** Called when the gate was started again. */
  onGate?: () => void
  paths: Pick<MoatPaths, 'agents' | 'doorsLog' | 'doorsSocket' | 'gateLog' | 'gateSocket' | 'home' | 'inside' | 'proxy'>
  /** The user whose sockets are dialled. */
  uid: number
}

export class Doors {
  readonly #directories: AgentDirectories
  readonly #doorkeeper: Doorkeeper
  readonly #gate: GateKeeper
  readonly #links: Links
  readonly #options: DoorsOptions
  readonly #ssh: SshAgents
  #insideWas = ''

  constructor(options: DoorsOptions) {
    this.#directories = new AgentDirectories(options.paths, options.log)
    this.#doorkeeper = new Doorkeeper(options)
    this.#gate = new GateKeeper({ ...options, ...(options.onGate && { onRestart: options.onGate }) })
    this.#links = new Links(options)
    this.#options = options
    this.#ssh = new SshAgents(options)
  }

  /** What keeps agents from what they may reach, if anything does. */
  get problem(): string | undefined {
    return this.#gate.problem
  }

  /** Resolves when Caddy reaches these agents, and they reach Caddy and what their policies allow. */
  async apply(table: RouteTable, agents: readonly Agent[]): Promise<void> {
    await Promise.all([this.#links.apply(table), this.#letOut(table), this.#openGate(agents), this.#ssh.apply(agents)])
  }

  /** Removes the directories of agents that are gone, and makes those that are missing. */
  async sweep(agents: readonly SharingAgent[]): Promise<void> {
    await this.#directories.sweep(agents)
  }

  /** Leaves everything for the next supervisor. */
  leave(): void {
    this.#links.leave()
    this.#doorkeeper.leave()
    this.#gate.leave()
    this.#ssh.close()
  }

  async stop(): Promise<void> {
    this.#links.leave()
    this.#ssh.close()
    await Promise.all([this.#doorkeeper.stop(), this.#gate.stop()])
  }

  async #letOut({ inside }: RouteTable): Promise<void> {
    const now = inside.map(({ runId }) => runId).join()
    if (now === '' && this.#insideWas === '') return
    if (await this.#doorkeeper.scan()) this.#insideWas = now
  }

  async #openGate(agents: readonly Agent[]): Promise<void> {
    await this.#gate.apply(await gatedAgents(agents, this.#options))
  }
}
