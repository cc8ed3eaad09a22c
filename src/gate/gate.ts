// Owns the gate: the doors of all agents, as the supervisor's table has them, and how much room there is for connections.
import { interceptSocket, type MoatPaths } from '../config/paths.js'
import { decide, matchesPort } from '../egress/decide.js'
import { matchesHost } from '../egress/hosts.js'
import type { NetworkLogEntry } from '../egress/policy.js'
import { messageOf } from '../errors.js'
import { AgentDoor } from './agent-door.js'
import { LargeBuffers } from './carrier.js'
import { Dialler, type Tunnelled } from './dial.js'
import type { GatedAgent, GrantedHost } from './gate-table.js'
import { NetworkLog } from './network-log.js'
import type { Target } from './target.js'
import type { TestHosts } from './test-hosts.js'

/** Of one agent. */
const mostConnections = 1_000
/** However many an agent has, this part of the room that is left is kept from it: so others find some. */
const share = 8
/** For what is open besides connections: log files, sockets, look-ups. */
const spare = 128

export interface GateOptions {
  /** How many files this process may have open. */
  descriptors?: number
  /** Instead of the usual, for tests. Milliseconds. */
  headerDeadline?: number
  log: (message: string) => void
  /** How many other connections this process has open. */
  others?: () => number
  paths: Pick<MoatPaths, 'agents' | 'home' | 'proxy'>
  testHosts?: TestHosts | undefined
}

interface Kept {
  agent: GatedAgent
  dialler: Dialler
  door: AgentDoor
}

export class Gate {
  readonly #agents = new Map<string, Kept>()
  #applying: Promise<void> = Promise.resolve()
  readonly #buffers = new LargeBuffers()
  readonly #networkLog: NetworkLog
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
    this.#networkLog = new NetworkLog(options.paths, options.log)
  }

  /** Replaces what is known of agents. Resolves when each has its sockets; one that cannot have them is no trouble of the others'. */
  apply(agents: readonly GatedAgent[]): Promise<void> {
    this.#applying = this.#applying.then(() => this.#apply(agents))
    return this.#applying
  }

  /** How many connections of agents there are. */
  get count(): number {
    return [...this.#agents.values()].reduce((sum, { door }) => sum + door.count, 0)
  }

  /** What Caddy has opened for an agent goes on to a host, which the agent must be allowed now. */
  dial(runId: string, target: Target): Promise<Tunnelled> | undefined {
    const kept = this.#agents.get(runId)
    if (!kept) return undefined
    const { allowed, reason } = decide(kept.agent.policy, target)
    return allowed
      ? kept.dialler.dialTunnel(target, kept.agent.policy)
      : Promise.resolve({ problem: reason, refused: true })
  }

  nameOf(runId: string): string | undefined {
    return this.#agents.get(runId)?.agent.name
  }

  /** A line of the log for what was done elsewhere. */
  note(entry: NetworkLogEntry): void {
    this.#networkLog.add(entry)
  }

  /** Takes no more connections. */
  leave(): void {
    for (const { door } of this.#agents.values()) door.leave()
  }

  /** Ends all connections; resolves when the log is written. */
  async close(): Promise<void> {
    for (const { door } of this.#agents.values()) door.close()
    // What was open is written down as it closes, which it does after this.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#networkLog.close()
  }

  async #apply(agents: readonly GatedAgent[]): Promise<void> {
    const wanted = new Map(agents.map((agent) => [agent.runId, agent]))
    for (const [runId, { door }] of this.#agents) {
      if (wanted.has(runId)) continue
      this.#agents.delete(runId)
      door.close()
    }
    await Promise.all([...wanted.values()].map((agent) => this.#bring(agent)))
  }

  async #bring(agent: GatedAgent): Promise<void> {
    const known = this.#agents.get(agent.runId)
    const kept = known ?? this.#open(agent)
    const changed = changedHosts(kept.agent, agent)
    kept.agent = agent
    // What a grant was for ends with it: a value that is no good any more may be on its way there.
    if (changed.length > 0) kept.dialler.end((target) => changed.some((one) => isTo(one, target)))
    try {
      await kept.door.open(agent.policy.host)
    } catch (error) {
      this.#options.log(`${agent.name} (${agent.runId}) has no way out: ${messageOf(error)}`)
    }
  }

  #open(agent: GatedAgent): Kept {
    const { headerDeadline, log, paths, testHosts } = this.#options
    const { runId } = agent
    // The place of a connection's other half is kept for it; what is more than that has to find room.
    const mayDial = (count: number) => count < kept.door.count || this.#hasRoom(count)
    const dialler = new Dialler(testHosts, mayDial, this.#buffers)
    const context = {
      agent: () => kept.agent,
      dialler,
      interceptSocket: interceptSocket(paths, runId),
      log: (entry: NetworkLogEntry) => this.note(entry),
    }
    const hasRoom = (count: number) => this.#hasRoom(count)
    const own = { context, hasRoom, log, paths, runId }
    const door = new AgentDoor({ ...own, ...(headerDeadline !== undefined && { headerDeadline }) })
    const kept: Kept = { agent, dialler, door }
    this.#agents.set(runId, kept)
    return kept
  }

  /** Each connection has two descriptors, and more where it asks for several hosts at a time. */
  #hasRoom(count: number): boolean {
    const { descriptors = 1_024, others = () => 0 } = this.#options
    const kept = [...this.#agents.values()]
    const open = kept.reduce((sum, { dialler, door }) => sum + door.count + Math.max(door.count, dialler.count), 0)
    const room = (descriptors - spare - others() - open) / 2
    return count < mostConnections && count < share * room
  }
}

/** Of which the grant was another. */
function changedHosts({ granted: before = [] }: GatedAgent, { granted: now = [] }: GatedAgent): GrantedHost[] {
  const marks = new Set(now.map((one) => JSON.stringify(one)))
  return before.filter((one) => !marks.has(JSON.stringify(one)))
}

function isTo(granted: GrantedHost, { host, port }: Target): boolean {
  return matchesHost(granted.host, host) && matchesPort(granted, port)
}
