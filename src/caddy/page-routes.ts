// Owns how Caddy gets the proxy's own pages from the supervisor, and what it says without one. Pure.
import type { CaddyRoute } from '../routing/agent.js'
import { ownPath } from '../routing/urls.js'
import { asItWasSent, withoutHeaders } from './kept-request.js'
import { noPages, otherError, sayIt, unknownHost, upstreamError } from './responses.js'

/** How long the supervisor may take to begin an answer; the wait for an agent to listen is shorter. */
const answerTimeout = '40s'

/** Names of routes that each server has once, and who invokes them. */
const names = { own: 'own_page', page: 'page', problem: 'problem' }
const invoke = (name: string) => ({ handler: 'invoke', name })

/** All of the domain itself. */
export function indexPages(domain: string): CaddyRoute {
  return { handle: [invoke(names.own)], match: [{ host: [domain] }], terminal: true }
}

/** What scripts and pages of the proxy ask for, at the hosts of agents. */
export const pagesAtAgents: CaddyRoute = {
  handle: [invoke(names.own)],
  match: [{ path: [`${ownPath}*`] }],
  terminal: true,
}

/** A page about a host that no agent answers at; without a supervisor, a text. */
export const pageOfHost = pageOr('host', unknownHost)

/** What Caddy's handlers run into: an upstream that does not answer, or a no of a handler such as a missing password. */
export const problemPages: CaddyRoute = { handle: [invoke(names.problem)] }

/** Of each server. */
export function pageRoutes(pagesSocket: string): Record<string, CaddyRoute> {
  const problem = [
    asItWasSent,
    {
      handle: [withoutHeaders, ...pageOr('error', upstreamError)],
      match: [{ vars: { '{http.error.status_code}': ['502', '503', '504'] } }],
      terminal: true,
    },
    { handle: otherError },
  ]
  return {
    [names.own]: orElse(askSupervisor(pagesSocket, 'own'), noPages),
    [names.page]: orElse(askSupervisor(pagesSocket, '{http.vars.moat_page}'), [sayIt]),
    [names.problem]: { handle: [{ handler: 'subroute', routes: problem }] },
  }
}

/** Vars say which page, and what is said without a supervisor. */
function pageOr(page: 'error' | 'host', [instead]: CaddyRoute['handle']): CaddyRoute['handle'] {
  return [{ handler: 'vars', ...instead, moat_page: page }, invoke(names.page)]
}

/** Routes for errors of their own, which error routes of the server would not handle once they are at work. */
function orElse(ask: CaddyRoute['handle'][number], fallback: CaddyRoute['handle']): CaddyRoute {
  const errors = { routes: [{ handle: fallback }] }
  return { handle: [{ errors, handler: 'subroute', routes: [{ handle: [ask] }] }] }
}

/** `own`: the request is for the supervisor. Else it only asks for a page, and its method and body are of no interest. */
function askSupervisor(pagesSocket: string, page: string) {
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
