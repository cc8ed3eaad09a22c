// Owns what is known of how agents' servers speak: each that is to answer HTTP is greeted once when it begins to listen, and again
// while it is not as its endpoint says. Nobody who looks at agents waits for it.
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

/** How long a greeting is believed. Milliseconds. */
const believed = {
  /** Where somebody has just had no answer. */
  afterFailure: 1_000,
  /** One that was not as it should be. */
  bad: 2_000,
  /** One that told nothing, or took a request: from `bad` on twice as long each time, up to this. */
  longest: 60_000,
}
/** For so long one that is to be renewed is shown: nobody may have looked for hours. Milliseconds. */
const shownWhileRenewed = 10_000
/** Servers that are greeted at the same time. */
const concurrency = 32

interface KnownGreeting {
  /** When it was known; 0 before. */
  at: number
  /** The server was sent a request for it. */
  asked: boolean
  greeting: Greeting | undefined
  pending?: Promise<void>
  /** In a row, that told nothing or took a request. */
  tries: number
  /** A request got no answer: it is not sent another. */
  unanswered: boolean
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
  #greeting = 0
  readonly #queue: (() => void)[] = []

  constructor(options: GreetingsOptions) {
    this.#options = options
  }

  /**
   * Begins to ask who has just begun to listen, and others of whom it is time. `failed`: somebody has had no answer, so those that
   * were as they should be are asked again. Only who answers HTTP: to others one connection may be all that they are there for.
   */
  begin(agent: Agent, listeners: readonly Listener[], failed: boolean): void {
    if (!isLive(agent) || agent.state === 'paused') return
    const known = this.#known.get(agent.containerId) ?? new Map<string, KnownGreeting>()
    this.#known.set(agent.containerId, known)
    for (const { discovered, name } of agent.endpoints) {
      const [port, expected] = [servedPort(agent, name), expectedOf(agent, name)]
      if (port === undefined || expected === undefined) continue
      const key = `${port} ${expected}`
      if (!listeners.some((one) => one.port === port)) {
        known.delete(key)
        continue
      }
      // Of a port that was discovered nobody has said that it speaks HTTP. Whom a request has reached has had his connection.
      if (discovered && !failed && !known.has(key)) continue
      const one = known.get(key) ?? { asked: false, at: 0, greeting: undefined, tries: 0, unanswered: false }
      known.set(key, one)
      if (one.pending || (one.at > 0 && performance.now() - one.at < lifeOf(one, failed))) continue
      one.pending = this.#inTurn(() => this.#renew(one, agent, expected, port)).finally(() => {
        delete one.pending
      })
    }
  }

  /** Resolves when nobody among the agents' servers is being asked. */
  async settled(agents: readonly Pick<Agent, 'containerId'>[]): Promise<void> {
    await Promise.all(
      agents.flatMap(({ containerId }) =>
        [...(this.#known.get(containerId)?.values() ?? [])].flatMap(({ pending }) => pending ?? []),
      ),
    )
  }

  /** What is known of the endpoints of the agent by now. */
  of(agent: Agent): NonNullable<Look['greetings']> {
    const known = this.#known.get(agent.containerId)
    if (!known || agent.state === 'paused') return {}
    return Object.fromEntries(
      agent.endpoints.flatMap(({ name }) => {
        const one = known.get(`${servedPort(agent, name)} ${expectedOf(agent, name)}`)
        if (!one?.greeting || performance.now() - one.at > lifeOf(one, false) + shownWhileRenewed) return []
        return [[name, one.greeting] as const]
      }),
    )
  }

  keepOnly(containers: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!containers.has(id)) this.#known.delete(id)
  }

  async #renew(one: KnownGreeting, agent: Agent, expected: Expected, port: number): Promise<void> {
    let asked = false
    const mayAsk = () => {
      asked = !one.unanswered
      return asked
    }
    const greeting = await this.#greet(agent, expected, port, mayAsk).catch(() => undefined)
    const tries = greeting === undefined || asked ? one.tries + 1 : 0
    const unanswered = one.unanswered || (asked && greeting === undefined)
    Object.assign(one, { asked, at: performance.now(), greeting, tries, unanswered })
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#greeting >= concurrency) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else this.#greeting += 1
    try {
      await work()
    } finally {
      const next = this.#queue.shift()
      if (next) next()
      else this.#greeting -= 1
    }
  }

  async #greet(agent: Agent, expected: Expected, port: number, mayAsk: () => boolean): Promise<Greeting | undefined> {
    const { published, runId, wayIn } = agent
    const greet = this.#options.greet ?? greetServer
    if (wayIn !== 'sockets') {
      if (published[port] === undefined) return undefined
      const greeting = await greet({ host: '127.0.0.1', port: published[port] }, expected, { mayAsk })
      return greeting?.kind === 'closes' ? { kind: 'unled' } : greeting
    }
    const sockets = [probeSuffix, quickSuffix].map((suffix) => this.#link(runId, port, suffix))
    const [probe, quick] = sockets
    try {
      return probe && quick ? await greet({ path: probe }, expected, { mayAsk, patient: { path: quick } }) : undefined
    } finally {
      await Promise.all(sockets.map((path) => path && rm(path, { force: true })))
    }
  }

  /** Where the agent's socket can be dialled without danger, for a moment; undefined where there is none. */
  #link(runId: string, port: number, suffix: string): string | undefined {
    const { paths, uid } = this.#options
    const staging = join(paths.proxy, 'staging')
    const target = join(staging, randomUUID())
    try {
      linkSocket(join(wayInDirectory(paths, runId), `${port}${suffix}`), [target], { staging, uid })
      return target
    } catch {
      return undefined
    }
  }
}

/** How long a greeting is believed. A server that is as it should be is believed until somebody has no answer. */
function lifeOf({ asked, greeting, tries }: KnownGreeting, failed: boolean): number {
  const longer = Math.min(believed.bad * 2 ** (tries - 1), believed.longest)
  if (greeting?.kind === 'proper' && !failed) return Number.POSITIVE_INFINITY
  if (asked) return longer
  if (failed) return greeting && greeting.kind !== 'proper' ? believed.bad : believed.afterFailure
  return greeting === undefined ? longer : believed.bad
}
