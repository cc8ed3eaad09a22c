// Owns how a request that may pass goes on to the real host: with what a grant puts in, over TLS that is verified, found and
// connected to by the gate, which is the only one that looks up names. Pure.
import type { GrantedPlace } from '../egress/opened-hosts.js'
import { answerHeaders, portVariable, questionHeaders, questionPaths, verdictField } from '../egress/opening-words.js'
import type { NetworkRule } from '../egress/policy.js'
import type { CaddyRoute } from '../routing/agent.js'
import { matches, targetsOf, webSocketOverHttp2 } from './egress-patterns.js'
import type { EgressSettings, OpenedAgent } from './egress-settings.js'

/**
 * Of one agent, whose requests over HTTP/2 are as many as it likes: at a time to the supervisor, and to one host. What is more
 * waits.
 */
const mostQuestions = 64
const mostConnections = 256

/** What the gate has said of the tunnel: the port that it is for, and the address that was found. */
const tunnel = { address: '{http.request.local}', port: '{http.request.remote.port}' }

type Handlers = CaddyRoute['handle']

/** Routes by name, for whatever rule allows a request. Each that a request passes is counted by Caddy: so there are few. */
export function sendRoutes(settings: EgressSettings, agent: OpenedAgent): Record<string, CaddyRoute> {
  const granted = grantedHosts(agent).map(({ host, name, place }): [string, CaddyRoute] => [
    name,
    { handle: [askForValue(settings, agent, place), ...ways(settings, agent, { host, place })] },
  ])
  const choices = grantedHosts(agent).map(({ host, name, place }) => ({
    handle: [{ handler: 'invoke', name }],
    match: [targetsOf([host], place.ports)],
    terminal: true,
  }))
  return {
    ask: askForVerdict(settings, agent),
    ...Object.fromEntries(granted),
    plain: { handle: ways(settings, agent) },
    send: { handle: [{ handler: 'subroute', routes: choices }, sendPlain] },
  }
}

/** Each has a route of its own, since each has connections of its own. */
function grantedHosts({ grants }: OpenedAgent) {
  return grants.flatMap((place, index) =>
    place.hosts.map((host, at) => ({ host, name: `granted_${index}_${at}`, place })),
  )
}

const sendPlain = { handler: 'invoke', name: 'plain' }
const send = { handler: 'invoke', name: 'send' }

/** For requests that a rule allows; none for a rule about a host that is decided before anybody asks. */
export function sendTo(agent: OpenedAgent, rule?: NetworkRule): Handlers[number] {
  if (!rule || rule.host.includes('*')) return send
  const here = grantedHosts(agent).filter(({ host }) => host === rule.host)
  const [first] = here
  if (!first) return sendPlain
  // At one port alone nothing is left to choose.
  const isOnly = here.length === 1 && rule.port !== undefined && first.place.ports.includes(rule.port)
  return isOnly ? { handler: 'invoke', name: first.name } : send
}

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

interface Granted {
  host: string
  place: GrantedPlace
}

/**
 * WebSockets begin as HTTP/1.1; a server that is spoken to by HTTP/2 would refuse them. What is granted goes straight to the address
 * that the gate found for the tunnel: its port is the one that is asked for, so nothing is put in for another. Where that
 * address does not take it, nothing has been sent, and the gate tries all that there are.
 */
function ways(settings: EgressSettings, agent: OpenedAgent, granted?: Granted): Handlers {
  const upgrade = [{ header_regexp: { Upgrade: { pattern: '.' } } }, webSocketOverHttp2]
  const byGate = (versions: string[]) => toHost(settings, agent, { ...granted, byGate: true, versions })
  const changed = { handle: [byGate(['1.1'])], match: upgrade, terminal: true }
  const others = byGate(['1.1', '2'])
  if (!granted) return [answered(undefined), { handler: 'subroute', routes: [changed] }, others]
  const straight = {
    handle: [toHost(settings, agent, { ...granted, byGate: false, versions: ['1.1', '2'] })],
    match: [{ vars: { [tunnel.port]: [`{http.vars.${portVariable}}`] } }],
    terminal: true,
  }
  const again = { handle: [others], match: [matches('{http.error.message}', '^dial tcp ')], terminal: true }
  const error = { error: '{http.error.message}', handler: 'error', status_code: '{http.error.status_code}' }
  const errors = { routes: [again, { handle: [error] }] }
  return [answered(granted.place), { errors, handler: 'subroute', routes: [changed, straight] }, others]
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

interface Way extends Partial<Granted> {
  /** Which finds an address and connects; else Caddy does, to the one that came with the tunnel. */
  byGate: boolean
  versions: string[]
}

function toHost({ dial }: EgressSettings, { runId }: OpenedAgent, { byGate, host, place, versions }: Way) {
  const set = (place?.headers ?? []).map((name, index) => [name, [`{http.vars.moat_set_${index}}`]])
  const changesQuery = place !== undefined && place.query.length + place.removeQuery.length > 0
  const gate = { from: 'url', url: `http://${runId}:${dial.password}@127.0.0.1:${dial.port}` }
  return {
    // Events and tokens go on as they come, whatever is said here, and so does all of which nobody knows how long it is. What
    // else comes together goes together: at once would be a piece for the headers and one for the body.
    flush_interval: '1ms',
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
      ...(byGate && { network_proxy: gate }),
      protocol: 'http',
      // By the system's roots, for the name that was asked. Connections are kept by address: so one host alone has these.
      tls: byGate ? {} : { server_name: host },
      versions,
    },
    upstreams: [{ dial: byGate ? `{http.request.host}:{http.vars.${portVariable}}` : tunnel.address }],
  }
}
