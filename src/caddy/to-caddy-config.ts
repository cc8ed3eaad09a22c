// Owns Caddy's whole config: a pure function of settings and routes. caddy/README.md explains its shape.

import { agentSocket } from '../config/paths.js'
import type { UpstreamProtocol } from '../routing/agent.js'
import { certificateHosts, hostsOf, type RouteTable, type Upstream } from '../routing/route-table.js'
import { agentHostPatterns, defaultDomain } from '../routing/urls.js'
import { containerGate } from './container-gate.js'
import { endpointRoutes } from './endpoint-routes.js'
import { ownPages, pageOr, problemPages } from './page-routes.js'
import { accessLog, logging } from './request-log.js'
import { refusal, unknownHost } from './responses.js'

export interface CaddySettings {
  /** Path of the unix socket at which the supervisor hears of requests, while somebody watches. */
  accessSocket: string
  /** Path of the unix socket of the admin API. */
  adminSocket: string
  /** Holds the directory of each agent's socket. */
  agents: string
  caCertificate: string
  caKey: string
  /** What URLs end in. */
  domain: string
  /** Path of the unix socket at which the supervisor says which file of a workspace may be served. */
  filesSocket: string
  /** Inherited sockets, e.g. `fd/3`. */
  listeners: string[]
  /** Path of the unix socket at which the supervisor makes pages. */
  pagesSocket: string
  /** The port in URLs. */
  port: number
  /** Hosts whose requests somebody watches. */
  recorded: readonly string[]
  /** Directory for certificates. */
  storage: string
}

/** JSON as Caddy reads it. */
export type CaddyConfig = Record<string, unknown>

/** The config that serves these routes, the same for any order of theirs. */
export function toCaddyConfig(settings: CaddySettings, table: RouteTable): CaddyConfig {
  return {
    admin: { config: { persist: false }, listen: `unix/${settings.adminSocket}|0600` },
    apps: {
      http: {
        // Without it, a stop waits for ever on an open event stream.
        grace_period: '2s',
        // Nothing listens on it for us; a supervisor that adopts this Caddy reads the port from here.
        https_port: settings.port,
        // What the dashboard counts with; it costs 3 to 8 % of the CPU. Caddy counts every host by itself where it speaks
        // TLS, whether a matcher names it or not.
        metrics: { per_host: true },
        servers: { moat: server(settings, table) },
      },
      pki: {
        certificate_authorities: {
          local: {
            install_trust: false,
            intermediate_lifetime: '8760h',
            root: { certificate: settings.caCertificate, format: 'pem_file', private_key: settings.caKey },
          },
        },
      },
      tls: { automation: { policies: [certificatePolicy(settings, table)] } },
    },
    logging: logging(settings),
    storage: { module: 'file_system', root: settings.storage },
  }
}

/**
 * The config to push before `config` so that Caddy forgets every certificate it has in memory, those of these other hosts
 * too. Caddy drops certificates that a config managed and the next does not; what is made at first use it never drops.
 */
export function forgetfulConfig(config: CaddyConfig, others: readonly string[]): CaddyConfig {
  const forgetful = structuredClone(config)
  const [policy] = at(forgetful, ['apps', 'tls', 'automation', 'policies']) as [{ subjects: string[] }]
  policy.subjects = [...new Set([...policy.subjects, ...others])]
  Object.assign(at(forgetful, ['apps', 'tls']) as object, { certificates: { automate: policy.subjects } })
  return forgetful
}

/** The port of a config made here; undefined for one that was not. */
export function portOf(config: CaddyConfig): number | undefined {
  const port = at(config, ['apps', 'http', 'https_port'])
  return typeof port === 'number' ? port : undefined
}

/** The domain of a config made here. */
export function domainOf(config: CaddyConfig): string | undefined {
  const domain = at(config, ['apps', 'http', 'servers', 'moat', 'tls_connection_policies', '0', 'fallback_sni'])
  return typeof domain === 'string' ? domain : undefined
}

/** The inherited listeners of a config made here. */
export function listenersOf(config: CaddyConfig): string[] {
  const listeners = at(config, ['apps', 'http', 'servers', 'moat', 'listen'])
  return Array.isArray(listeners) ? listeners.map(String).filter((listener) => listener.startsWith('fd/')) : []
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)
}

/**
 * Certificates are made at first use, and for these names only: a name that no agent has never makes Caddy sign and
 * store anything. P-256: Chromium refuses Ed25519. Long lives: certificates of hours go stale while a laptop sleeps.
 */
function certificatePolicy({ domain }: CaddySettings, table: RouteTable) {
  return {
    issuers: [{ ca: 'local', lifetime: '720h', module: 'internal' }],
    key_type: 'p256',
    on_demand: true,
    subjects: [...certificateHosts(hostsOf(table), domain), '127.0.0.1', '::1'],
  }
}

/**
 * A name that an agent could have and none has is shown the certificate of the domain: clients say which name does not
 * match, and who looks on regardless finds out that nobody answers there. Every other name gets a TLS alert.
 */
function connectionPolicies(domain: string) {
  return [{ fallback_sni: domain, match: { sni: agentHostPatterns(domain) } }, {}]
}

/**
 * The hosts the proxy answers at all: a page elsewhere must not reach agents under a name of its own. `localhost` leads to
 * the domain, as an address does.
 */
function ownHosts(domain: string): string[] {
  return [...new Set([domain, ...agentHostPatterns(domain), defaultDomain, '127.0.0.1', '::1'])]
}

function server(settings: CaddySettings, table: RouteTable) {
  const { domain, filesSocket, listeners, pagesSocket, recorded } = settings
  const { hostRoutes, upstreams } = table
  const sockets = table.agentSockets.map(({ agent, runId }) => ({ agent, path: agentSocket(settings, runId) }))
  return {
    ...accessLog(recorded),
    // Its scan of host matchers grows faster than their number.
    automatic_https: { disable: true },
    errors: { routes: problemPages(pagesSocket) },
    // The directories of the sockets have to be there, or Caddy refuses all of this.
    listen: [...listeners, ...sockets.map(({ path }) => `unix/${path}|0600`)],
    listener_wrappers: [{ wrapper: 'http_redirect' }, { wrapper: 'tls' }],
    // No h3: Chromium does not use it with a local root.
    protocols: ['h1', 'h2'],
    routes: [
      ...containerGate(sockets, domain),
      { handle: refusal(domain), match: [{ not: [{ host: ownHosts(domain) }] }], terminal: true },
      ...ownPages(pagesSocket, domain),
      // Before the routes of plugins: whatever they do to a request, it stays with its own host.
      { handle: lookUp(upstreams) },
      ...endpointRoutes(hostRoutes, filesSocket),
      ...protocols.flatMap(proxyRoutes),
      pageOr(pagesSocket, unknownHost),
    ],
    tls_connection_policies: connectionPolicies(domain),
  }
}

const protocols: UpstreamProtocol[] = ['http', 'https', 'h2c']

/** One table from host to upstream, looked up once: a `map` value is computed anew at every use, a `vars` value is not. */
function lookUp(upstreams: readonly Upstream[]) {
  return [
    {
      defaults: ['', ''],
      destinations: ['{moat.protocol}', '{moat.dial}'],
      handler: 'map',
      mappings: oneForEachHost(upstreams).map(({ dial, host, protocol }) => ({
        input: host,
        outputs: [protocol, dial],
      })),
      source: '{http.request.host}',
    },
    {
      handler: 'vars',
      moat_dial: '{moat.dial}',
      moat_host: '{http.request.hostport}',
      moat_protocol: '{moat.protocol}',
    },
  ]
}

/** Sorted by host. Caddy refuses a whole config in which a host stands twice, and with it every route that follows. */
function oneForEachHost(upstreams: readonly Upstream[]): Upstream[] {
  return upstreams.toSorted(compare).filter(({ host }, index, sorted) => host !== sorted[index - 1]?.host)
}

function compare(a: Upstream, b: Upstream): number {
  const [first, second] = [a, b].map(({ dial, host, protocol }) => `${host} ${dial} ${protocol}`)
  return first === second ? 0 : (first ?? '') < (second ?? '') ? -1 : 1
}

/**
 * An app that is starting is waited for; the request's body is still whole. A person at a browser is shown soon that
 * something is waited for: long enough not to see a server that restarts.
 */
const patience = { browser: '700ms', program: '5s' }

function proxyRoutes(protocol: UpstreamProtocol) {
  const match = { vars: { moat_protocol: [protocol] } }
  const page = { header: { Accept: ['text/html*'], 'Sec-Fetch-Mode': ['navigate'] } }
  return [
    { handle: [reverseProxy(protocol, patience.browser)], match: [{ ...match, ...page }], terminal: true },
    { handle: [reverseProxy(protocol, patience.program)], match: [match], terminal: true },
  ]
}

/**
 * What Caddy says by itself, but for requests from containers, which come over a unix socket: there it would say nothing.
 * `client_ip` is the address of the other end; what a client claims to be forwarded for is not heeded.
 */
const forwardedHeaders = {
  'X-Forwarded-For': ['{http.vars.client_ip}'],
  'X-Forwarded-Host': ['{http.request.hostport}'],
  'X-Forwarded-Proto': ['{http.request.scheme}'],
}

function reverseProxy(protocol: UpstreamProtocol, tryDuration: string) {
  return {
    handler: 'reverse_proxy',
    // To an https upstream Caddy would send the address it dials as Host; and an endpoint may want another than was asked for.
    headers: { request: { set: { ...forwardedHeaders, Host: ['{http.vars.moat_host}'] } } },
    load_balancing: { try_duration: tryDuration, try_interval: '100ms' },
    // Without it, each config change closes every WebSocket.
    stream_close_delay: '24h',
    // Named, because the implicit one is never cleaned up after a config change.
    transport: {
      keep_alive: { max_idle_conns_per_host: 256 },
      protocol: 'http',
      // The container's own certificate is signed by nobody moat knows; the connection never leaves loopback.
      ...(protocol === 'https' && { tls: { insecure_skip_verify: true } }),
      ...(protocol === 'h2c' && { versions: ['h2c', '2'] }),
    },
    upstreams: [{ dial: '{http.vars.moat_dial}' }],
  }
}
