// Owns what the supervisor knows of agents beyond their labels: what listens in their containers, and what was counted.
// It looks while somebody watches; otherwise it only keeps the counts from being lost.
import { setTimeout as wait } from 'node:timers/promises'
import type { MoatPaths } from '../config/paths.js'
import { NetworkUse } from '../egress/network-use.js'
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { withAlarms } from '../guard/alarms.js'
import { type EndpointProblem, endpointProblems, type IndexView, type Look, viewIndex } from '../pages/view.js'
import { type Agent, isLive } from '../routing/agent.js'
import { listenersOf } from '../routing/declared-ports.js'
import type { Greetings } from './greetings.js'
import type { ManagedCaddy } from './managed-caddy.js'

/** Between two views that watchers get. Milliseconds. */
const tick = 1_000
/** How old what is shown may be. Milliseconds. */
const freshness = {
  /** Counting costs Caddy some work, the more hosts the more. */
  counts: 2_000,
  countsUnwatched: { first: 10_000, longest: 60_000 },
  look: 900,
  /** Where looking means running a program in the container. */
  slowLook: 10_000,
}
/** How long looking into one container may take. Milliseconds. */
const lookTimeout = 3_000
/** How long greetings of servers that are still under way are waited for. Milliseconds. */
const greetingTimeout = {
  /** By somebody who has had no answer and is told why. */
  failed: 3_000,
  usual: 100,
}
/** Containers that are looked into at the same time. */
const concurrency = 8
/** Caddy counts for at most a twentieth of the time. */
const leastRest = 20

interface KnownLook {
  at: number
  /** Without greetings, which are known later. */
  look: Look | undefined
  quick: boolean
}

export interface ObserverOptions {
  /** What is known of how servers speak; left out, nobody asks. */
  greetings?: Greetings
  agents: () => readonly Agent[]
  caddy: Pick<ManagedCaddy, 'address' | 'count' | 'counters'>
  engine: () => Engine | undefined
  log: (message: string) => void
  paths: Pick<MoatPaths, 'home'>
}

export class Observer {
  readonly #looks = new Map<string, KnownLook>()
  readonly #network: NetworkUse
  readonly #options: ObserverOptions
  readonly #watchers = new Set<(view: IndexView) => void>()
  #counted = { at: Number.NEGATIVE_INFINITY, took: 0 }
  #counting: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #background: NodeJS.Timeout | undefined

  constructor(options: ObserverOptions) {
    this.#network = new NetworkUse(options.paths)
    this.#options = options
    this.#countLater(freshness.countsUnwatched.first)
  }

  /** Everything there is to show, as it is now. */
  async view(): Promise<IndexView> {
    const { agents, caddy } = this.#options
    const all = agents()
    const gated = all.filter(({ network }) => network !== undefined).map(({ runId }) => runId)
    await Promise.all([
      this.#count(freshness.counts),
      this.#lookAtAll(all.filter(isLive), greetingTimeout.usual),
      this.#network.refresh(gated),
    ])
    const now = Date.now()
    const view = viewIndex(all, {
      address: caddy.address,
      countersOf: (hosts) => caddy.counters.of(hosts, performance.now()),
      lookOf: (agent) => this.#lookOf(agent),
      networkOf: (runId) => this.#network.of(runId),
      now,
    })
    return { ...view, agents: await withAlarms(view.agents, this.#options.paths.home) }
  }

  /** What listens in the agent's container now; undefined when it cannot be looked into. */
  async look(agent: Agent, { failed } = { failed: false }): Promise<Look | undefined> {
    await this.#refresh(agent, 0, failed)
    await this.#greeted([agent], failed ? greetingTimeout.failed : greetingTimeout.usual)
    return this.#lookOf(agent)
  }

  /** True when looking into the agent's container again and again is cheap. */
  isQuick({ containerId }: Agent): boolean {
    return this.#looks.get(containerId)?.quick ?? false
  }

  /** Calls `onView` now and every second, until the returned function is called. */
  watch(onView: (view: IndexView) => void): () => void {
    this.#watchers.add(onView)
    void this.view().then((view) => {
      if (this.#watchers.has(onView)) onView(view)
    })
    this.#timer ??= setTimeout(() => this.#tick(), tick)
    return () => this.#watchers.delete(onView)
  }

  end(): void {
    clearTimeout(this.#background)
    this.#background = undefined
    clearTimeout(this.#timer)
    this.#watchers.clear()
  }

  async #tick(): Promise<void> {
    const start = performance.now()
    const view = await this.view().catch((error) => this.#options.log(`nothing new to show: ${messageOf(error)}`))
    if (view) for (const watcher of this.#watchers) watcher(view)
    this.#timer = undefined
    if (this.#watchers.size === 0) return
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, tick - (performance.now() - start)))
  }

  /** Less and less often while there is nothing to count: neither process is to be woken for nothing. */
  #countLater(wait: number): void {
    const { first, longest } = freshness.countsUnwatched
    this.#background = setTimeout(async () => {
      const { version } = this.#options.caddy.counters
      await this.#countQuietly()
      if (this.#background === undefined) return
      this.#countLater(this.#options.caddy.counters.version === version ? Math.min(wait * 2, longest) : first)
    }, wait)
  }

  #countQuietly(): Promise<void> {
    const alive = new Set(this.#options.agents().map(({ containerId }) => containerId))
    for (const id of this.#looks.keys()) if (!alive.has(id)) this.#looks.delete(id)
    this.#options.greetings?.keepOnly(alive)
    return this.#count(0)
  }

  async #count(maxAge: number): Promise<void> {
    const rest = Math.max(maxAge, this.#counted.took * leastRest)
    if (performance.now() - this.#counted.at < rest) return
    const start = performance.now()
    this.#counting ??= this.#options.caddy.count().finally(() => {
      this.#counting = undefined
      this.#counted = { at: performance.now(), took: performance.now() - start }
    })
    await this.#counting
  }

  async #lookAtAll(agents: Agent[], timeout: number): Promise<void> {
    const queue = [...agents]
    const work = async () => {
      for (let agent = queue.shift(); agent; agent = queue.shift()) {
        const known = this.#looks.get(agent.containerId)
        await this.#refresh(agent, known && !known.quick ? freshness.slowLook : freshness.look)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
    await this.#greeted(agents, timeout)
  }

  async #greeted(agents: readonly Agent[], timeout: number): Promise<void> {
    await Promise.race([this.#options.greetings?.settled(agents), wait(timeout, undefined, { ref: false })])
  }

  #lookOf(agent: Agent): Look | undefined {
    const { look } = this.#looks.get(agent.containerId) ?? {}
    const { greetings } = this.#options
    return look && greetings ? { ...look, greetings: greetings.of(agent) } : look
  }

  /**
   * What is wrong with endpoints of running agents, as far as it is known in a moment: a server that is well is one that says nothing for
   * half a second, and nobody is to wait for that.
   */
  async problems(): Promise<EndpointProblem[]> {
    const agents = this.#options.agents().filter(isLive)
    await this.#lookAtAll(agents, greetingTimeout.usual)
    return agents.flatMap((agent) => endpointProblems(agent, this.#lookOf(agent), Date.now()))
  }

  async #refresh(agent: Agent, maxAge: number, failed = false): Promise<void> {
    const { containerId } = agent
    const known = this.#looks.get(containerId)
    if (known && performance.now() - known.at < maxAge) return
    const asked = this.#options
      .engine()
      ?.sessions.listeners(containerId)
      .catch(() => undefined)
    // An engine that hangs must not keep people from being told anything.
    const found = await Promise.race([asked, wait(lookTimeout, undefined, { ref: false })])
    const listeners = listenersOf(agent, found?.listeners ?? [])
    // Without a look, nothing is known of who listens: what they have said is not forgotten for that.
    if (found) this.#options.greetings?.begin(agent, listeners, failed)
    this.#looks.set(containerId, {
      at: performance.now(),
      look: found && { listeners, startedAt: Date.parse(found.startedAt) },
      quick: found?.quick ?? false,
    })
  }
}
