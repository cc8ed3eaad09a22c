// Owns what the proxy answers at the hosts of agents when no agent does: problems, the page of an agent with several
// endpoints, and what these pages ask for. Nothing here can act on an agent: these hosts are agents' own.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { shellQuote } from '../config/shell-quote.js'
import { agentOfHost, explainHost, partsOf } from '../pages/explain-host.js'
import { problemHeaders } from '../pages/layout.js'
import { wantsHtml } from '../pages/negotiate.js'
import type { Problem } from '../pages/problem.js'
import { type ProblemPageOptions, problemJson, problemPage, stateOf } from '../pages/problem-page.js'
import { healthOf } from '../pages/view.js'
import { type Agent, isLive } from '../routing/agent.js'
import { defaultEndpoint } from '../routing/route-table.js'
import { indexUrl, type ProxyAddress } from '../routing/urls.js'
import type { LogLines } from './log-lines.js'
import type { Observer } from './observer.js'
import { send, sendJson } from './pages-socket.js'

/** How often a page that waits is looked after, and how long one question may last. Milliseconds. */
const waitInterval = { quick: 150, slow: 750 }
const longestWait = 20_000

export interface HostPagesOptions {
  address: () => ProxyAddress
  agents: () => readonly Agent[]
  lines: Pick<LogLines, 'urlFor'>
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
    if (!wantsHtml(request.headers.accept)) {
      return sendJson(request, response, problem.status, problemJson(problem), headersOf(problem))
    }
    const agent = agentOfHost(host, this.#options.agents(), this.#options.address().domain)
    const lines = await this.#options.lines.urlFor(request, agent)
    sendProblem(request, response, problem, {
      index: indexUrl(this.#options.address()),
      ...(lines !== undefined && { lines }),
      url: askedUrl(request),
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
    return explainHost(host, { address: address(), agents: agents(), asked, look, now: Date.now(), quote: shellQuote })
  }

  #intervalFor(host: string): number {
    const { address, agents } = this.#options
    const agent = agentOfHost(host, agents(), address().domain)
    return !agent || this.#options.observer.isQuick(agent) ? waitInterval.quick : waitInterval.slow
  }
}

export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
  options: ProblemPageOptions,
): void {
  const headers = { ...problemHeaders(options.lines), ...headersOf(problem) }
  const type = 'text/html; charset=utf-8'
  send(request, response, problemPage(problem, options), { headers, status: problem.status, type })
}

function headersOf({ error, status, waits }: Problem): Record<string, string> {
  const retry: Record<string, string> = status >= 500 && waits !== 'change' ? { 'Retry-After': '1' } : {}
  return { ...retry, 'X-Moat-Error': error }
}

/** From inside a container it may have been by HTTP. */
function askedUrl({ headers, url = '/' }: IncomingMessage): string {
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https'
  return `${scheme}://${headers.host}${url === '/' ? '' : url}`
}
