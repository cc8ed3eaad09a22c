// Owns what the proxy answers at the hosts of agents when no agent does: problems, the page of an agent with several
// endpoints, and what these pages ask for. Nothing here can act on an agent: these hosts are agents' own.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { problemHeaders } from '../pages/layout.js'
import { wantsHtml } from '../pages/negotiate.js'
import { agentOfHost, explainHost, type Problem, partsOf } from '../pages/problem.js'
import { problemJson, problemPage, stateOf } from '../pages/problem-page.js'
import { healthOf } from '../pages/view.js'
import { type Agent, isLive } from '../routing/agent.js'
import { defaultEndpoint } from '../routing/route-table.js'
import type { ProxyAddress } from '../routing/urls.js'
import type { Observer } from './observer.js'
import { send, sendJson } from './pages-socket.js'

/** How often a page that waits is looked after, and how long one question may last. Milliseconds. */
const waitInterval = { quick: 150, slow: 750 }
const longestWait = 20_000

export interface HostPagesOptions {
  address: () => ProxyAddress
  agents: () => readonly Agent[]
  observer: Pick<Observer, 'isQuick' | 'look'>
}

export class HostPages {
  readonly #options: HostPagesOptions

  constructor(options: HostPagesOptions) {
    this.#options = options
  }

  /** The running agent whose page a host is: one whose bare host leads to none of its endpoints. */
  pageOf(host: string): Agent | undefined {
    const { address, agents } = this.#options
    const { domain } = address()
    if (partsOf(host, domain).endpoint !== undefined) return undefined
    const agent = agentOfHost(host, agents(), domain)
    return agent && isLive(agent) && defaultEndpoint(agent) === undefined ? agent : undefined
  }

  /** What is wrong at a host. `asked` as in ProblemSources. */
  async problem(request: IncomingMessage, response: ServerResponse, host: string, asked: boolean): Promise<void> {
    const problem = await this.#explain(host, asked)
    const headers = { ...retry(problem), 'X-Moat-Error': problem.error }
    if (!wantsHtml(request.headers.accept)) {
      return sendJson(request, response, problem.status, problemJson(problem), headers)
    }
    const all = { ...problemHeaders, ...headers }
    send(request, response, problemPage(problem), {
      headers: all,
      status: problem.status,
      type: 'text/html; charset=utf-8',
    })
  }

  /** Answers when a page no longer shows how things are, or after a while. */
  async changed(request: IncomingMessage, response: ServerResponse, host: string, seen: string | null): Promise<void> {
    const end = performance.now() + longestWait
    let changed = false
    while (!changed && performance.now() < end && !response.destroyed) {
      changed = (await this.#stateOf(host)) !== seen
      if (!changed) await wait(this.#intervalFor(host))
    }
    sendJson(request, response, 200, { changed })
  }

  async #stateOf(host: string): Promise<string> {
    if (this.pageOf(host)) return 'page'
    const { address, agents, observer } = this.#options
    const { domain } = address()
    const agent = agentOfHost(host, agents(), domain)
    const endpoint = partsOf(host, domain).endpoint ?? (agent && defaultEndpoint(agent))
    if (agent && endpoint !== undefined && agent.endpoints.some(({ name }) => name === endpoint)) {
      const look = isLive(agent) ? await observer.look(agent) : undefined
      if (healthOf(agent, endpoint, look, Date.now()).health === 'answering') return 'answering'
    }
    return stateOf(await this.#explain(host, false))
  }

  async #explain(host: string, asked: boolean): Promise<Problem> {
    const { address, agents, observer } = this.#options
    const agent = agentOfHost(host, agents(), address().domain)
    const look = agent && isLive(agent) ? await observer.look(agent, { failed: asked }) : undefined
    return explainHost(host, { address: address(), agents: agents(), asked, look, now: Date.now() })
  }

  #intervalFor(host: string): number {
    const { address, agents } = this.#options
    const agent = agentOfHost(host, agents(), address().domain)
    return !agent || this.#options.observer.isQuick(agent) ? waitInterval.quick : waitInterval.slow
  }
}

function retry({ status, waits }: Problem): Record<string, string> {
  return status >= 500 && waits !== 'change' ? { 'Retry-After': '1' } : {}
}
