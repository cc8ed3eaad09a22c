// Owns how a request that may pass goes on to the real host: with what a grant puts in, over TLS that is verified, found and
// connected to by the gate, which is the only one that looks up names. Pure.
import type { GrantedPlace } from '../egress/opened-hosts.js'
import { answerHeaders, portVariable, questionHeaders, questionPaths, verdictField } from '../egress/opening-words.js'
import type { CaddyRoute } from '../routing/agent.js'
import { targetsOf, webSocketOverHttp2 } from './egress-patterns.js'
import type { EgressSettings, OpenedAgent } from './egress-settings.js'

/**
 * Of one agent, whose requests over HTTP/2 are as many as it likes: at a time to the supervisor, and to one host. What is more
 * waits.
 */
const mostQuestions = 64
const mostConnections = 256

/** Routes by name, for whatever rule allows a request. */
export function sendRoutes(settings: EgressSettings, agent: OpenedAgent): Record<string, CaddyRoute> {
  const granted = agent.grants.map((place, index): [string, CaddyRoute] => [
    `granted_${index}`,
    { handle: [{ handler: 'subroute', routes: bothWays(settings, agent, place) }] },
  ])
  const choices = agent.grants.map((place, index) => ({
    handle: [askForValue(settings, agent, place), { handler: 'invoke', name: `granted_${index}` }],
    match: [targetsOf(place.hosts, place.ports)],
    terminal: true,
  }))
  const plain = { handle: [{ handler: 'invoke', name: 'plain' }], terminal: true }
  return {
    ask: askForVerdict(settings, agent),
    ...Object.fromEntries(granted),
    plain: { handle: [{ handler: 'subroute', routes: bothWays(settings, agent) }] },
    send: { handle: [{ handler: 'subroute', routes: [...choices, plain] }] },
  }
}

export const send = { handler: 'invoke', name: 'send' }

/** For requests that Caddy cannot judge. */
export const askFirst: CaddyRoute = { handle: [{ handler: 'invoke', name: 'ask' }], terminal: true }

/** What moat says of a request is done. */
function askForVerdict({ questions }: EgressSettings, agent: OpenedAgent): CaddyRoute {
  const told = { handler: 'vars', moat_told: `{http.reverse_proxy.header.${answerHeaders.verdict}}` }
  const note = { handler: 'log_append', key: verdictField, value: 'moat_told' }
  const responses = [
    { match: { status_code: [200] }, routes: [{ handle: [told, note] }] },
    { routes: [{ handle: [told, note, { handler: 'copy_response' }] }] },
  ]
  return { handle: [ask(questions, questionPaths.verdict, agent, {}, responses), send] }
}

/** 200: it is put in. 204: nothing for this one request. Whatever else moat answers is the answer. */
function askForValue(
  { questions }: EgressSettings,
  agent: OpenedAgent,
  { grant, headers, query, traces }: GrantedPlace,
) {
  const value = (kind: string, name: string | number) => `{http.reverse_proxy.header.${kind}-${name}}`
  const vars = Object.fromEntries([
    ...headers.map((name, index) => [`moat_set_${index}`, value(answerHeaders.set, canonical(name))]),
    ...query.map((_, index) => [`moat_query_${index}`, value(answerHeaders.query, index)]),
    ...Array.from({ length: traces }, (_, index) => [`moat_trace_${index}`, value(answerHeaders.trace, index)]),
  ])
  const told = { [questionHeaders.grant]: [grant], [questionHeaders.traces]: [String(traces)] }
  return ask(questions, questionPaths.value, agent, told, [
    { match: { status_code: [200] }, routes: [{ handle: [{ handler: 'vars', ...vars }] }] },
    { match: { status_code: [204] }, routes: [{ handle: [{ handler: 'invoke', name: 'plain' }], terminal: true }] },
  ])
}

/** As Caddy writes the name of a header, and knows it by. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

/** Nothing of the request but what is told here: neither its headers nor its body are moat's business. */
function ask(socket: string, uri: string, { runId }: OpenedAgent, more: object, responses: object[]) {
  return {
    handle_response: responses,
    handler: 'reverse_proxy',
    // A supervisor that is being replaced is waited for; nothing has been sent.
    load_balancing: { try_duration: '3s', try_interval: '50ms' },
    headers: {
      request: {
        delete: ['*'],
        set: {
          [questionHeaders.host]: ['{http.request.host}'],
          [questionHeaders.method]: ['{http.request.method}'],
          [questionHeaders.path]: ['{http.request.orig_uri}'],
          [questionHeaders.port]: [`{http.vars.${portVariable}}`],
          [questionHeaders.run]: [runId],
          ...more,
        },
      },
    },
    // Nor is its query, which is kept unless there is another, if an empty one.
    rewrite: { method: 'GET', uri: `${uri}?` },
    transport: { compression: false, max_conns_per_host: mostQuestions, protocol: 'http' },
    upstreams: [{ dial: `unix/${socket}` }],
  }
}

/** WebSockets begin as HTTP/1.1; a server that is spoken to by HTTP/2 would refuse them. */
function bothWays(settings: EgressSettings, agent: OpenedAgent, place?: GrantedPlace): CaddyRoute[] {
  const upgrade = [{ header_regexp: { Upgrade: { pattern: '.' } } }, webSocketOverHttp2]
  return [
    { handle: [answered(place), toHost(settings, agent, ['1.1'], place)], match: upgrade, terminal: true },
    { handle: [answered(place), toHost(settings, agent, ['1.1', '2'], place)], terminal: true },
  ]
}

/** Of an answer: what Caddy adds to it, another way to the same host past the rules, and what was put into the request. */
function answered(place: GrantedPlace | undefined) {
  const traces = Array.from({ length: place?.traces ?? 0 }, (_, index) => ({
    replace: '[removed by moat]',
    search: `{http.vars.moat_trace_${index}}`,
  }))
  const response = { deferred: true, delete: ['Via', 'Alt-Svc'], ...(place && { replace: { '*': traces } }) }
  return { handler: 'headers', response }
}

/** Of what is sent on alone: the request itself, of which Caddy may speak in its log, stays as it came. */
function changedQuery({ query, removeQuery }: GrantedPlace) {
  const set = query.map((key, index) => ({ key, val: `{http.vars.moat_query_${index}}` }))
  return { rewrite: { query: { delete: removeQuery, set } } }
}

function toHost({ dial }: EgressSettings, { runId }: OpenedAgent, versions: string[], place?: GrantedPlace) {
  const set = (place?.headers ?? []).map((name, index) => [name, [`{http.vars.moat_set_${index}}`]])
  const changesQuery = place !== undefined && place.query.length + place.removeQuery.length > 0
  return {
    // As they come: events, tokens.
    flush_interval: -1,
    handler: 'reverse_proxy',
    headers: {
      request: {
        // What Caddy adds by itself: the host is to see its client as if nobody stood between.
        delete: [
          'Max-Forwards',
          'Via',
          'X-Forwarded-For',
          'X-Forwarded-Host',
          'X-Forwarded-Proto',
          ...(place?.remove ?? []),
        ],
        set: { Host: ['{http.request.hostport}'], ...Object.fromEntries(set) },
      },
    },
    ...(changesQuery && changedQuery(place)),
    stream_close_delay: '24h',
    transport: {
      compression: false,
      expect_continue_timeout: '1s',
      keep_alive: { max_idle_conns_per_host: mostConnections },
      max_conns_per_host: mostConnections,
      network_proxy: { from: 'url', url: `http://${runId}:${dial.password}@127.0.0.1:${dial.port}` },
      protocol: 'http',
      // By the system's roots, for the name that was asked.
      tls: {},
      versions,
    },
    upstreams: [{ dial: `{http.request.host}:{http.vars.${portVariable}}` }],
  }
}
