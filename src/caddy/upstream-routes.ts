// Owns how a request is handed on to a container: by the name of its host, or by a table in the config. Pure.
import { join } from 'node:path'
import type { CaddyRoute, UpstreamProtocol } from '../routing/agent.js'
import type { RouteTable, Upstream } from '../routing/route-table.js'
import { agentHostPatterns } from '../routing/urls.js'
import { dialAddress, linkDirectories } from '../routing/way-in.js'
import type { CaddySettings } from './caddy-settings.js'
import { endpointRoutes } from './endpoint-routes.js'
import { keptHeaders } from './kept-request.js'
import { ownRedirects } from './own-redirects.js'
import { pageOfHost, problemPages } from './page-routes.js'

/**
 * An app that is starting is waited for; the request's body is still whole. A person at a browser is shown soon that
 * something is waited for: long enough not to see a server that restarts.
 */
const patience = { browser: '700ms', program: '5s' }
/** Once, but with the request's body kept for whoever tries again. */
const once = '1ns'
/** Between two tries, where there is more than one. */
const pause = '50ms'

/** More than any one agent needs, and too few for one agent to use up the descriptors. */
const mostConnections = 4_096

const protocols: UpstreamProtocol[] = ['http', 'https', 'h2c']

/** A person's browser that goes to a page. */
const navigation = { header: { Accept: ['text/html*'], 'Sec-Fetch-Mode': ['navigate'] } }

/** What a client says of the way a request took, besides what the proxy says itself. It is not believed, so it is not handed on. */
const claims = ['Forwarded', 'True-Client-Ip', 'X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Real-Ip']

/** Where a request comes from: a program of the user's, or one in a container. */
export type Side = 'inside' | 'outside'

/**
 * Caddy says host and scheme by itself. From inside, where requests come over a unix socket, it would say as the client the address by
 * which the doorkeeper knows the agent; `client_ip` is what the route has set.
 */
const forwardedFor = { 'X-Forwarded-For': ['{http.vars.client_ip}'] }

/**
 * For whatever is asked of agents. A request passes one route of the server, for Caddy counts it at each; and no subroute, which is
 * compiled anew for each request, unless the config knows something of its host.
 */
export function agentRoutes(settings: CaddySettings, table: RouteTable, from: Side): CaddyRoute[] {
  const { connections, filesSocket } = settings
  const { hostRoutes, upstreams } = table
  const known = new Set([...hostRoutes.flatMap(({ hosts }) => hosts), ...upstreams.map(({ host }) => host)])
  const atKnown = [
    // Before the routes of plugins: whatever they do to a request, it stays with its own host.
    ...lookUp(upstreams),
    ...endpointRoutes(hostRoutes, filesSocket),
    ...proxyRoutes(upstreams, from),
  ]
  const first = counted(connections, from)
  return [
    withoutClaims,
    ...(known.size === 0
      ? []
      : [
          {
            handle: [first, { handler: 'subroute', routes: atKnown }],
            // All of these are answered by now: by routes of their own, or by what the table has for them.
            match: [{ host: [...known].toSorted() }],
          },
        ]),
    ...doorRoutes(from).map((route) => ({ ...route, handle: [first, ...route.handle] })),
  ]
}

/** Only where there is something to remove: to look costs a fraction of what it costs to remove nothing. */
const withoutClaims: CaddyRoute = {
  handle: [{ handler: 'headers', request: { delete: claims } }],
  match: [{ not: [{ header: Object.fromEntries(claims.map((name) => [name, null])) }] }],
}

/**
 * The first handler of the routes to agents, and of no others: by it Caddy counts their requests. Its number is there to be
 * different, for Caddy lets go of the connections that it keeps to containers whenever its config changes. Inside there is no
 * address to tell the agent's program; its own loopback is where the request began.
 */
function counted(connections: number, from: Side) {
  return { handler: 'vars', moat_connections: `${connections}`, ...(from === 'inside' && { client_ip: '127.0.0.1' }) }
}

/**
 * Keeps what moat goes by, before an endpoint changes the request for its app, and finds what the config knows of the host: one
 * table from host to upstream, looked up once. A `map` value is computed anew at every use, a `vars` value is not. Without a
 * table there are only endpoints that are no servers.
 */
function lookUp(upstreams: readonly Upstream[]): CaddyRoute[] {
  if (upstreams.length === 0) return [{ handle: [{ ...keptHeaders, handler: 'vars' }] }]
  const map = {
    defaults: ['', '', ''],
    destinations: ['{moat.protocol}', '{moat.dial}', '{moat.quick}'],
    handler: 'map',
    mappings: oneForEachHost(upstreams).map(({ dial, host, protocol, quickDial = dial }) => ({
      input: host,
      outputs: [protocol, dial, quickDial],
    })),
    source: '{http.request.host}',
  }
  const found = {
    ...keptHeaders,
    handler: 'vars',
    moat_dial: '{moat.dial}',
    moat_host: '{http.request.hostport}',
    moat_protocol: '{moat.protocol}',
    moat_quick: '{moat.quick}',
  }
  // A person's browser is known by what it sent, not by what an endpoint makes of it.
  const browser = { handle: [{ handler: 'vars', moat_browser: '{http.vars.moat_protocol}' }], match: [navigation] }
  return [{ handle: [map, found] }, browser]
}

/** Sorted by host. Caddy refuses a whole config in which a host stands twice, and with it every route that follows. */
function oneForEachHost(upstreams: readonly Upstream[]): Upstream[] {
  return upstreams.toSorted(compare).filter(({ host }, index, sorted) => host !== sorted[index - 1]?.host)
}

function compare(a: Upstream, b: Upstream): number {
  const [first, second] = [a, b].map(({ dial, host, protocol }) => `${host} ${dial} ${protocol}`)
  return first === second ? 0 : (first ?? '') < (second ?? '') ? -1 : 1
}

/** For hosts that the table has. */
function proxyRoutes(upstreams: readonly Upstream[], from: Side): CaddyRoute[] {
  return protocols
    .filter((protocol) => upstreams.some((upstream) => upstream.protocol === protocol))
    .flatMap((protocol) => {
      const match = { vars: { moat_protocol: [protocol] } }
      // To an https upstream Caddy would send the address it dials; and an endpoint may want another than was asked for.
      const host = '{http.vars.moat_host}'
      const quick = reverseProxy(protocol, {
        dial: '{http.vars.moat_quick}',
        from,
        host,
        tryDuration: patience.browser,
      })
      const patient = reverseProxy(protocol, {
        dial: '{http.vars.moat_dial}',
        from,
        host,
        tryDuration: patience.program,
      })
      return [
        { handle: [quick], match: [{ vars: { moat_browser: [protocol] } }], terminal: true },
        { handle: [patient], match: [match], terminal: true },
      ]
    })
}

/** For all other hosts that an agent could have: whose socket is linked under the name, that one answers. */
function doorRoutes(from: Side): CaddyRoute[] {
  return [
    { handle: [byName(linkDirectories.quick, once, from)], match: [navigation], terminal: true },
    { handle: [byName(linkDirectories.hosts, once, from)], terminal: true },
  ]
}

/**
 * For errors: a host at whose name there is no socket, or none that takes connections. That of a container which is just
 * starting is tried for a while; nothing of the request has been sent. Any other has no agent that answers at it.
 */
export function noDoor(settings: CaddySettings, from: Side): CaddyRoute[] {
  const { domain, proxy } = settings
  const undialled = {
    host: agentHostPatterns(domain),
    vars_regexp: { '{http.error.message}': { pattern: String.raw`^dial unix \.\./(hosts|quick)/` } },
  }
  const expected = { file: { root: join(proxy, linkDirectories.expected), try_files: ['/{http.request.host}'] } }
  const again = [
    { handle: [byName(linkDirectories.quick, patience.browser, from)], match: [navigation], terminal: true },
    { handle: [byName(linkDirectories.hosts, patience.program, from)] },
  ]
  return [
    {
      handle: [{ errors: { routes: [problemPages] }, handler: 'subroute', routes: again }],
      match: [{ ...undialled, ...expected }],
      terminal: true,
    },
    { handle: pageOfHost, match: [undialled], terminal: true },
  ]
}

function byName(directory: string, tryDuration: string, from: Side) {
  return reverseProxy('http', { dial: dialAddress(`${directory}/{http.request.host}`), from, tryDuration })
}

interface HandedOn {
  dial: string
  from: Side
  /** What the app is told of the host, if not what was asked. */
  host?: string
  tryDuration: string
}

function reverseProxy(protocol: UpstreamProtocol, { dial, from, host, tryDuration }: HandedOn) {
  const set = { ...(from === 'inside' && forwardedFor), ...(host !== undefined && { Host: [host] }) }
  return {
    handle_response: ownRedirects,
    handler: 'reverse_proxy',
    ...(Object.keys(set).length > 0 && { headers: { request: { set } } }),
    load_balancing: { try_duration: tryDuration, ...(tryDuration !== once && { try_interval: pause }) },
    // Without it, each config change closes every WebSocket.
    stream_close_delay: '24h',
    // Named, because the implicit one is never cleaned up after a config change.
    transport: {
      // A body that the app does not want is not sent, and not taken for a failure.
      expect_continue_timeout: '1s',
      keep_alive: { max_idle_conns_per_host: 256 },
      max_conns_per_host: mostConnections,
      protocol: 'http',
      // The container's own certificate is signed by nobody moat knows; the connection never leaves this machine.
      ...(protocol === 'https' && { tls: { insecure_skip_verify: true } }),
      ...(protocol === 'h2c' && { versions: ['h2c', '2'] }),
    },
    upstreams: [{ dial }],
  }
}
