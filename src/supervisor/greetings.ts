// Owns what is known of how agents' servers speak: each is greeted once when it begins to listen, and again while it is not as
// its endpoint says.
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type MoatPaths, wayInDirectory } from '../config/paths.js'
import { greetServer } from '../doors/greet-server.js'
import { linkSocket } from '../doors/link-socket.js'
import { expectedOf, type Look, servedPort } from '../pages/view.js'
import { type Agent, isLive } from '../routing/agent.js'
import type { Expected, Greeting } from '../routing/greeting.js'
import type { Listener } from '../routing/listening.js'
import { probeSuffix, quickSuffix } from '../routing/way-in.js'

/** How long a greeting is believed that was not as it should be, and one that was, where somebody has just had no answer. Milliseconds. */
const believed = { afterFailure: 1_000, bad: 2_000 }

interface KnownGreeting {
  at: number
  greeting: Greeting | undefined
}

export interface GreetingsOptions {
  /** Instead of the real one, for tests. */
  greet?: typeof greetServer
  paths: Pick<MoatPaths, 'agents' | 'proxy'>
  uid: number
}

export class Greetings {
  /** By container, then by port and protocol. */
  readonly #known = new Map<string, Map<string, KnownGreeting>>()
  readonly #options: GreetingsOptions

  constructor(options: GreetingsOptions) {
    this.#options = options
  }

  /**
   * What is known of the endpoints of the agent by now; asks who has just begun to listen. `failed`: somebody has had no
   * answer, so those that were as they should be are asked again.
   */
  async refresh(
    agent: Agent,
    listeners: readonly Listener[],
    failed: boolean,
  ): Promise<NonNullable<Look['greetings']>> {
    if (!isLive(agent) || agent.state === 'paused') return {}
    const known = this.#known.get(agent.containerId) ?? new Map<string, KnownGreeting>()
    this.#known.set(agent.containerId, known)
    const found = await Promise.all(
      agent.endpoints.map(async ({ name }) => {
        const [port, expected] = [servedPort(agent, name), expectedOf(agent, name)]
        const key = `${port} ${expected}`
        if (port === undefined || !listeners.some((one) => one.port === port)) {
          known.delete(key)
          return []
        }
        const last = known.get(key)
        if (!last || this.#isStale(last, failed)) {
          const greeting = await this.#greet(agent, expected, port)
          known.set(key, { at: Date.now(), greeting })
        }
        const greeting = known.get(key)?.greeting
        return greeting ? [[name, greeting] as const] : []
      }),
    )
    return Object.fromEntries(found.flat())
  }

  keepOnly(containers: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!containers.has(id)) this.#known.delete(id)
  }

  #isStale({ at, greeting }: KnownGreeting, failed: boolean): boolean {
    const age = Date.now() - at
    return greeting?.kind === 'proper' ? failed && age > believed.afterFailure : age > believed.bad
  }

  async #greet(agent: Agent, expected: Expected, port: number): Promise<Greeting | undefined> {
    const { published, runId, wayIn } = agent
    const greet = this.#options.greet ?? greetServer
    if (wayIn !== 'sockets') {
      if (published[port] === undefined) return undefined
      const greeting = await greet({ host: '127.0.0.1', port: published[port] }, expected)
      return greeting?.kind === 'closes' ? { kind: 'unled' } : greeting
    }
    const sockets = await Promise.all([probeSuffix, quickSuffix].map((suffix) => this.#link(runId, port, suffix)))
    const [probe, quick] = sockets
    try {
      return probe && quick ? await greet({ path: probe }, expected, { path: quick }) : undefined
    } finally {
      await Promise.all(sockets.map((path) => path && rm(path, { force: true })))
    }
  }

  /** Where the agent's socket can be dialled without danger, for a moment; undefined where there is none. */
  async #link(runId: string, port: number, suffix: string): Promise<string | undefined> {
    const { paths, uid } = this.#options
    const staging = join(paths.proxy, 'staging')
    const target = join(staging, randomUUID())
    return linkSocket(join(wayInDirectory(paths, runId), `${port}${suffix}`), target, { staging, uid }).then(
      () => target,
      () => undefined,
    )
  }
}
