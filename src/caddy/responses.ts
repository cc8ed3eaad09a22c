// Owns what the proxy answers by itself, when no agent does: as text for people, as JSON for programs, never cached. Pure.
//
// A server has one route that answers, and vars say what: Caddy reads all of its config at each push, and the servers all have the
// same to say.
import type { CaddyRoute } from '../routing/agent.js'
import { defaultDomain } from '../routing/urls.js'

const textHeaders = {
  'Cache-Control': ['no-store'],
  'Content-Type': ['text/plain; charset=utf-8'],
  // The host in the text comes from the request: it must never be taken for HTML.
  'X-Content-Type-Options': ['nosniff'],
}

const jsonHeaders = { ...textHeaders, 'Content-Type': ['application/json'] }

const wantsJson = [{ header: { Accept: ['*application/json*'] } }]

export interface Answer {
  detail: string
  error: string
  hint: string
  /** True for what will be otherwise in a moment. */
  retry?: true
  /** A number, or a placeholder for one. */
  status: number | string
}

const json = (detail: string, error: string, hint: string) => JSON.stringify({ detail, error, hint })

/**
 * Among the routes of one endpoint, where it stands by itself. Two routes: JSON for those who ask for it, text for the rest. Only
 * the text may contain placeholders.
 */
function routesFor({ detail, error, hint, status }: Answer, text: string): CaddyRoute[] {
  const respond = (body: string, headers: Record<string, string[]>) => [
    { body, handler: 'static_response', headers: { ...headers, 'X-Moat-Error': [error] }, status_code: status },
  ]
  return [
    { handle: respond(json(detail, error, hint), jsonHeaders), match: wantsJson, terminal: true },
    { handle: respond(`${text}\n`, textHeaders), terminal: true },
  ]
}

const name = 'answer'
const filled = (what: string) => `{http.vars.moat_${what}}`

/** For `handle`: what is said, and the route of the server's that says it. Only the text may contain placeholders. */
function said({ detail, error, hint, retry, status }: Answer, text: string): CaddyRoute['handle'] {
  // As it stands between quotes in the JSON.
  const inJson = (value: string) => JSON.stringify(value).slice(1, -1)
  const vars = {
    moat_detail: inJson(detail),
    moat_error: error,
    moat_hint: inJson(hint),
    moat_status: `${status}`,
    moat_text: text,
    ...(retry && { moat_retry: 'yes' }),
  }
  return [{ handler: 'vars', ...vars }, sayIt]
}

/** For `handle`, where vars have what is said. */
export const sayIt = { handler: 'invoke', name }

/** Of each server, for all that it says. */
export function answerRoute(): Record<string, CaddyRoute> {
  const [error, status] = [filled('error'), filled('status')]
  const { 'Content-Type': asText, ...others } = textHeaders
  const respond = (body: string, type: string[]) => ({
    body,
    handler: 'static_response',
    headers: { 'Content-Type': type },
    status_code: status,
  })
  const set = (headers: Record<string, string[]>) => ({ handler: 'headers', response: { set: headers } })
  const later = { handle: [set({ 'Retry-After': ['1'] })], match: [{ vars: { moat_retry: ['yes'] } }] }
  const asJson = respond(json(filled('detail'), error, filled('hint')), jsonHeaders['Content-Type'])
  const routes = [later, { handle: [asJson], match: wantsJson, terminal: true }]
  return {
    [name]: {
      handle: [
        set({ ...others, 'X-Moat-Error': [error] }),
        { handler: 'subroute', routes },
        respond(`${filled('text')}\n`, asText),
      ],
    },
  }
}

/** For a Host that is not the proxy's: says nothing about what runs here, nor under which domain. */
export function refusal(domain: string) {
  return [
    {
      body: domain === defaultDomain ? 'This proxy serves localhost only.\n' : 'This proxy does not serve this host.\n',
      handler: 'static_response',
      headers: textHeaders,
      status_code: 403,
    },
  ]
}

export const unknownHost = said(
  {
    detail: 'No running agent has this host name.',
    error: 'unknown_host',
    hint: 'moat list',
    status: 404,
  },
  'No running agent answers at {http.request.host}.\n\nTry this:\n  moat list',
)

export const upstreamError = said(
  {
    detail: 'The agent runs, but nothing answers on the port of this endpoint.',
    error: 'not_listening',
    retry: true,
    hint: 'Listen on the port that moat.yaml declares.',
    status: 502,
  },
  'The agent behind {http.request.host} runs, but nothing answers on the port of this endpoint.\n\nTry this:\n  listen on the port that moat.yaml declares',
)

/** For a path for which an endpoint that is not a server has nothing. */
export const nothingHere = routesFor(
  {
    detail: 'This endpoint has nothing at this path.',
    error: 'nothing_here',
    hint: 'Look at the options of the endpoint in moat.yaml.',
    status: 404,
  },
  'The endpoint {http.request.host} has nothing at {http.request.orig_uri.path}.',
)

/** For a no of a handler, such as a missing password. */
export const otherError = said(
  {
    detail: 'The proxy answers this request itself.',
    error: 'refused',
    hint: 'Look at the options of the endpoint in moat.yaml.',
    status: '{http.error.status_code}',
  },
  '{http.error.status_code} {http.error.status_text}',
)

/** For the proxy's own pages, while there is no supervisor to make them. */
export const noPages = said(
  {
    detail: "The proxy's supervisor does not answer, so there is no page to show.",
    error: 'no_supervisor',
    retry: true,
    hint: 'moat proxy status',
    status: 503,
  },
  "The proxy's supervisor does not answer, so there is no page to show. Agents are reached all the same.\n\nTry this:\n  moat proxy status",
)

/** For an endpoint whose routes Caddy does not take. */
export function rejectedRoutes(plugin: string, endpoint: string) {
  return notServed(
    `Caddy does not take the routes of the endpoint ${endpoint}, which the plugin ${plugin} made.`,
    'rejected_routes',
    'moat proxy status',
  )
}

/** For an endpoint that asks for what no endpoint may have. */
export function refusedRoutes(plugin: string, endpoint: string) {
  return notServed(
    `The endpoint ${endpoint}, which the plugin ${plugin} made, asks the proxy to do something that it may not do.`,
    'refused_routes',
    'moat proxy status',
  )
}

/** For an endpoint whose routes come from a plugin that is not installed here. */
export function missingPlugin(plugin: string, endpoint: string) {
  return notServed(
    `The endpoint ${endpoint} is made by the plugin ${plugin}, which is not installed here.`,
    'missing_plugin',
    `moat plugins install ${plugin}`,
  )
}

/** Names come from labels: nothing in them may be filled in. */
function notServed(detail: string, error: string, hint: string): CaddyRoute[] {
  const plain = (text: string) => text.replace(/[{}\\]/g, '')
  const text = `${plain(detail)}\n\nTry this:\n  ${plain(hint)}`
  return routesFor({ detail: plain(detail), error, hint: plain(hint), status: 502 }, text)
}

/** For a host that is not the caller's own: agents have no business with each other, nor with the dashboard, unless both say so. */
export const notYours = said(
  {
    detail: 'From inside a container, the proxy answers at the URLs of its own agent only.',
    error: 'not_your_agent',
    hint: 'echo $MOAT_URL',
    status: 403,
  },
  'From inside a container, the proxy answers at the URLs of its own agent only, not at {http.request.host}.\n\nTry this:\n  echo $MOAT_URL',
)

/** For the host of an agent that the caller lists, and that does not list the caller. `agent` is a placeholder for its name. */
export function notListedThere(agent: string) {
  return notListed(
    'The other agent does not list this one under network.peers of its moat.yaml; both have to.',
    `The agent ${agent} does not list this one under network.peers of its moat.yaml; both have to.`,
    'Add this agent to network.peers in the moat.yaml of the other, and start that one again.',
  )
}

/** For the host of an agent that lists the caller, which does not list it. */
export function notListedHere(agent: string) {
  return notListed(
    'This agent does not list the other one under network.peers of its moat.yaml; both have to.',
    `This agent does not list ${agent} under network.peers of its moat.yaml; both have to.`,
    'Add the other agent to network.peers in the moat.yaml of this one, and start this one again.',
  )
}

function notListed(detail: string, text: string, hint: string) {
  return said({ detail, error: 'not_your_peer', hint, status: 403 }, `${text}\n\nTry this:\n  ${hint}`)
}
