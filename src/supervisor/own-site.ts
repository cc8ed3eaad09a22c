// Owns everything the proxy serves of its own, as one thing that opens and closes: pages, what they show, and who may act.
import { setTimeout as wait } from 'node:timers/promises'
import { hostUser } from '../config/invoking-user.js'
import type { MoatPaths } from '../config/paths.js'
import type { Engine } from '../engine/engine.js'
import type { EndpointProblem } from '../pages/view.js'
import type { Agent } from '../routing/agent.js'
import { defaultEndpoint } from '../routing/route-table.js'
import { agentHost, endpointHost } from '../routing/urls.js'
import type { LookKind } from './control-paths.js'
import type { ControlHandlers } from './control-server.js'
import { Dashboard } from './dashboard.js'
import { DashboardKeys } from './dashboard-keys.js'
import { lookAtEngine } from './engine-look.js'
import { Greetings } from './greetings.js'
import { HostPages } from './host-pages.js'
import { LogLines } from './log-lines.js'
import type { ManagedCaddy } from './managed-caddy.js'
import { Observer } from './observer.js'
import { ownPages } from './own-pages.js'
import { openPagesSocket, type PagesSocket } from './pages-socket.js'
import { type RecordedRequest, RequestRecorder } from './request-recorder.js'

/** How long an answer to something else waits for what is wrong with endpoints. Milliseconds. */
const problemsTime = 1_500

export interface OwnSiteOptions {
  agents: () => readonly Agent[]
  caddy: ManagedCaddy
  engine: () => Engine | undefined
  /** Keeps the proxy until the returned function is called. */
  hold: () => () => void
  log: (message: string) => void
  paths: Pick<MoatPaths, 'accessSocket' | 'agents' | 'home' | 'pagesSocket' | 'proxy'>
}

export class OwnSite {
  readonly #keys = new DashboardKeys()
  readonly #observer: Observer
  readonly #options: OwnSiteOptions
  readonly #recorder: RequestRecorder
  #socket: PagesSocket | undefined

  constructor(options: OwnSiteOptions) {
    this.#options = options
    const greetings = new Greetings({
      paths: options.paths,
      uid: hostUser().uid,
    })
    this.#observer = new Observer({ ...options, greetings })
    this.#recorder = new RequestRecorder({
      path: options.paths.accessSocket,
      setRecorded: (hosts) => options.caddy.setRecorded(hosts),
    })
  }

  async open(): Promise<void> {
    const { agents, caddy, engine, hold, log, paths } = this.#options
    const address = () => caddy.address
    const lines = new LogLines({ address, agents, engine })
    const dashboard = new Dashboard({
      address,
      agents,
      engine,
      hold,
      keys: this.#keys,
      lines,
      log,
      moatHome: paths.home,
      observer: this.#observer,
      record: (agent, onRequest) => this.record([{ agent }], onRequest),
    })
    const hostPages = new HostPages({ address, agents, lines, observer: this.#observer })
    this.#socket = await openPagesSocket(paths.pagesSocket, ownPages(dashboard, hostPages, caddy.address.domain), log)
  }

  async close(): Promise<void> {
    this.#observer.end()
    await this.#recorder.close()
    await this.#socket?.close()
  }

  /** What commands ask of it. */
  answers(): Pick<ControlHandlers, 'issueKey' | 'look' | 'problems' | 'watch'> {
    return {
      issueKey: () => this.#keys.issue(),
      look: (kind) => this.#look(kind),
      problems: () => this.#observer.problems(),
      watch: (onView) => this.#observer.watch(onView),
    }
  }

  async #look(kind: LookKind) {
    const engine = this.#options.engine()
    if (!engine) throw new Error('there is no engine')
    const looking = lookAtEngine(engine, this.#options.paths, { system: kind === 'system' })
    const [looked, problems] = await Promise.all([looking, kind === 'agents' ? [] : this.#problems()])
    return { ...looked, problems }
  }

  /** Without those of servers that have not said yet how they speak. */
  #problems(): Promise<EndpointProblem[]> {
    const late = wait(problemsTime, [], { ref: false })
    return Promise.race([this.#observer.problems().catch(() => []), late])
  }

  /** Resolves once requests are recorded, until the returned function is called. Without an endpoint, those to all. */
  record(
    wanted: readonly { agent: Agent; endpoint?: string }[],
    onRequest: (request: RecordedRequest) => void,
  ): Promise<() => void> {
    return this.#recorder.watch(
      wanted.flatMap((one) => hostsOf(one, this.#options.caddy.address.domain)),
      onRequest,
    )
  }
}

function hostsOf({ agent, endpoint }: { agent: Agent; endpoint?: string }, domain: string): string[] {
  const names = endpoint === undefined ? agent.endpoints.map(({ name }) => name) : [endpoint]
  const bare = names.includes(defaultEndpoint(agent) ?? '') ? [agentHost(agent.name, domain)] : []
  return [...names.map((name) => endpointHost(agent.name, name, domain)), ...bare]
}
