// Owns the supervisor's picture of the agents: read from the engine on every change, never remembered elsewhere.
import type { Engine } from '../engine/engine.js'
import { describeUnsealed, type UnsealedContainer } from '../engine/unsealed.js'
import { MoatError, messageOf } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { changesOf } from '../routing/changes.js'
import { Coalescer } from './coalescer.js'

/** How often the engine is asked even though it reported nothing, for engines that lose events. Milliseconds. */
const safetyInterval = 30_000
/** However often containers say that something else listens, that is looked at once in this time. Milliseconds. */
const discoveryInterval = 250
/** First and longest wait before a lost engine is sought again. Milliseconds. */
const reconnectWait = { first: 250, longest: 5_000 }
/** How long a look waits for an engine that was lost just now: mostly it has only let go of the watch, and is back at once. Milliseconds. */
const lossPatience = 3_000

export interface ReconcilerOptions {
  connect: () => Promise<Engine>
  /** The agents with what is not in their labels: endpoints that are there because something listens. */
  discover: (agents: readonly Agent[]) => Promise<Agent[]>
  /** What of the agents' labels may be acted upon. */
  judge: (agents: Agent[]) => Agent[]
  log: (message: string) => void
  /** Called with all agents after each successful look at the engine. Rejects when the proxy could not follow. */
  onAgents: (agents: Agent[]) => Promise<void>
  signal: AbortSignal
}

export class Reconciler {
  /** The agents last seen, judged, with what was discovered. An engine that cannot be read leaves them as they are. */
  agents: Agent[] = []
  /** Containers that claim to be agents and are not. They never have routes. */
  unsealed: UnsealedContainer[] = []
  /** As their labels have them. */
  #unjudged: Agent[] = []
  readonly #options: ReconcilerOptions
  readonly #look: Coalescer
  readonly #discovery: Coalescer
  #discovering: Promise<unknown> = Promise.resolve()
  #judged: readonly Agent[] = []
  #engine: Engine | undefined
  /** Resolves when the engine that was lost is back. */
  #back: Promise<unknown> = Promise.resolve()
  /** Until when that is waited for; as `performance.now()`. */
  #patience = 0
  /** Why the engine cannot be read at present. */
  problem: string | undefined

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#look = new Coalescer(() => this.#readAgents(), 0)
    this.#discovery = new Coalescer(() => this.#rediscover(), discoveryInterval)
  }

  /** Undefined while it is away. */
  get engine(): Engine | undefined {
    return this.#engine
  }

  /** The first look, and the watch from then on. Rejects when no engine answers. */
  async start(): Promise<void> {
    this.#engine = await this.#options.connect()
    await this.#watch(this.#engine)
    await this.reconcile()
    const timer = setInterval(() => this.#reconcileQuietly(), safetyInterval)
    this.#options.signal.addEventListener('abort', () => clearInterval(timer))
  }

  /** Resolves when the proxy serves what the engine said after this call. */
  async reconcile(): Promise<void> {
    await this.#look.request()
    await this.#options.onAgents(this.agents)
  }

  /** To be called when something else may listen in a container. The engine is not asked. */
  rediscover(): void {
    this.#discovery.request().catch((error) => this.#options.log(messageOf(error)))
  }

  async #rediscover(): Promise<void> {
    const before = this.agents
    await this.#discover()
    const { added, removed } = changesOf(before, this.agents)
    if (added.length > 0 || removed.length > 0) await this.#options.onAgents(this.agents)
  }

  /** One after the other: the last look is the one that counts. */
  async #discover(judged?: readonly Agent[]): Promise<void> {
    const look = async () => {
      this.#judged = judged ?? this.#judged
      this.agents = await this.#options.discover(this.#judged)
    }
    this.#discovering = this.#discovering.then(look, look)
    await this.#discovering
  }

  async #readAgents(): Promise<void> {
    const engine = this.#engine ?? (await this.#returned())
    try {
      const { agents, unreadable, unsealed } = await engine.listAgents()
      for (const { containerId, name, reason } of unreadable) {
        this.#options.log(`container ${name} could not be read, its routes stay as they were: ${reason}`)
        const known = this.#unjudged.find((agent) => agent.containerId === containerId)
        if (known) agents.push(known)
      }
      this.#unjudged = agents
      this.#logUnsealed(unsealed)
      // Before the agents: one that was renamed is in one list or the other, whoever reads them meanwhile.
      this.unsealed = unsealed
      await this.#discover(this.#options.judge(agents))
      this.problem = undefined
    } catch (error) {
      const isKey = error instanceof MoatError && error.code === 'SEAL_KEY'
      this.problem = isKey ? error.message : `The container engine cannot be read: ${messageOf(error)}`
      throw error
    }
  }

  async #returned(): Promise<Engine> {
    const rest = Math.max(0, this.#patience - performance.now())
    const timer = Promise.withResolvers<void>()
    const timeout = setTimeout(timer.resolve, rest)
    await Promise.race([this.#back, timer.promise])
    clearTimeout(timeout)
    if (this.#engine) return this.#engine
    throw new Error('the container engine does not answer')
  }

  /** Each once, not at every look. */
  #logUnsealed(unsealed: readonly UnsealedContainer[]): void {
    for (const container of unsealed) {
      const known = this.unsealed.some(({ containerId, name }) => {
        return containerId === container.containerId && name === container.name
      })
      if (!known) this.#options.log(`${describeUnsealed(container)}; it gets no routes: ${container.fix}`)
    }
  }

  #reconcileQuietly(): void {
    this.reconcile().catch((error) => this.#options.log(messageOf(error)))
  }

  async #watch(engine: Engine): Promise<void> {
    await engine.watch(
      {
        onChange: () => this.#reconcileQuietly(),
        onEnd: (reason) => {
          this.#options.log(`lost the container engine: ${reason.message}`)
          this.problem = `The container engine went away: ${reason.message}`
          this.#engine = undefined
          this.#patience = performance.now() + lossPatience
          this.#back = this.#reconnect()
        },
      },
      this.#options.signal,
    )
  }

  async #reconnect(): Promise<void> {
    for (let wait = reconnectWait.first; !this.#engine; wait = Math.min(wait * 2, reconnectWait.longest)) {
      await new Promise((resolve) => setTimeout(resolve, wait))
      if (this.#options.signal.aborted) return
      await this.#connectAgain()
    }
  }

  async #connectAgain(): Promise<void> {
    try {
      const engine = await this.#options.connect()
      this.#engine = engine
      await this.#watch(engine)
      this.#options.log(`container engine back at ${engine.address}`)
      this.#reconcileQuietly()
    } catch (error) {
      this.#options.log(`container engine still away: ${messageOf(error).split('\n')[0]}`)
      this.#engine = undefined
    }
  }
}
