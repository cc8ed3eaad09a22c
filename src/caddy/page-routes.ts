// Owns how Caddy gets the proxy's own pages from the supervisor, and what it says without one. Pure.
import type { CaddyRoute } from '../routing/agent.js'
import { ownPath } from '../routing/urls.js'
import { asItWasSent, withoutHeaders } from './kept-request.js'
import { noPages, otherError, upstreamError } from './responses.js'

/** How long the supervisor may take to begin an answer; the wait for an agent to listen is shorter. */
const answerTimeout = '40s'

/** All of the domain itself. */
export function indexPages(pagesSocket: string, domain: string): CaddyRoute {
  return { ...own(pagesSocket), match: [{ host: [domain] }] }
}

/** What scripts and pages of the proxy ask for, at the hosts of agents. */
export function pagesAtAgents(pagesSocket: string): CaddyRoute {
  return { ...own(pagesSocket), match: [{ path: [`${ownPath}*`] }] }
}

function own(pagesSocket: string) {
  return { handle: [orFallback(askSupervisor(pagesSocket, 'own'), noPages)], terminal: true }
}

/** A page about a host that no agent answers at; `fallback` without a supervisor. */
export function pageOr(pagesSocket: string, fallback: readonly CaddyRoute[]): CaddyRoute {
  return { handle: [orFallback(askSupervisor(pagesSocket, 'host'), fallback)] }
}

/** What Caddy's handlers run into: an upstream that does not answer, or a no of a handler such as a missing password. */
export function problemPages(pagesSocket: string): CaddyRoute[] {
  return [
    asItWasSent,
    {
      handle: [withoutHeaders, orFallback(askSupervisor(pagesSocket, 'error'), upstreamError)],
      match: [{ vars: { '{http.error.status_code}': ['502', '503', '504'] } }],
      terminal: true,
    },
    ...otherError,
  ]
}

/** Routes for errors of their own, which error routes of the server would not handle once they are at work. */
function orFallback(ask: CaddyRoute['handle'][number], fallback: readonly CaddyRoute[]) {
  return { errors: { routes: fallback }, handler: 'subroute', routes: [{ handle: [ask] }] }
}

/** `own`: the request is for the supervisor. Else it only asks for a page, and its method and body are of no interest. */
function askSupervisor(pagesSocket: string, page: 'error' | 'host' | 'own') {
  return {
    handler: 'reverse_proxy',
    headers: {
      request: { set: { 'X-Moat-Client': ['{http.request.remote}'], 'X-Moat-Page': [page] } },
    },
    ...(page !== 'own' && { rewrite: { method: 'GET' } }),
    // Named, because the implicit one is never cleaned up after a config change.
    transport: { protocol: 'http', response_header_timeout: answerTimeout },
    upstreams: [{ dial: `unix/${pagesSocket}` }],
  }
}
