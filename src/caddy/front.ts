// Owns what becomes of a connection to the proxy's port. Stock Caddy knows TLS there and can redirect the rest; with the layer4
// module the first bytes decide: HTTPS, plain HTTP, or TLS to a host at which something else is spoken. Pure.
import { httpProtocols } from '../routing/http-protocols.js'
import type { NamedHost, RouteTable } from '../routing/route-table.js'
import { agentHostPatterns, defaultDomain } from '../routing/urls.js'
import type { CaddySettings } from './caddy-settings.js'
import { foreignNames } from './egress-servers.js'
import type { EgressSettings } from './egress-settings.js'

/** What a Caddy must have built in for all of this. `moat setup` gets one that has. */
export const layer4Modules = [
  'caddy.listeners.layer4',
  'layer4.handlers.close',
  'layer4.handlers.postgres_tls',
  'layer4.handlers.proxy',
  'layer4.handlers.subroute',
  'layer4.handlers.tls',
  'layer4.matchers.not',
  'layer4.matchers.postgres',
  'layer4.matchers.regexp',
  'layer4.matchers.tls',
  'tls.handshake_match.alpn',
] as const

/** As long as Caddy waits for the headers of a request. Browsers open connections before they have anything to say. */
const matchingTimeout = '1m'

/** Of the server that has the proxy's port. */
export function front(
  { domain, egress, plain }: Pick<CaddySettings, 'domain' | 'egress' | 'plain'>,
  { named }: Pick<RouteTable, 'named'>,
) {
  const policies = connectionPolicies(domain, egress)
  if (plain === undefined) {
    return { listener_wrappers: [{ wrapper: 'http_redirect' }, { wrapper: 'tls' }], tls_connection_policies: policies }
  }
  const hosts = oneForEachHost(named)
  const routes = [
    // PROXY protocol says from where the client came, which a unix socket does not.
    { handle: [{ ...proxyTo(`unix/${plain}`), proxy_protocol: 'v2' }], match: [firstByte('[A-Za-z]')] },
    // One route for all: HTTPS looks at its name once, however many there are.
    ...(hosts.length === 0 ? [] : [{ handle: byName(hosts), match: [{ ...notHttp, tls: { sni: namesOf(hosts) } }] }]),
    ...postgresStart(hosts.filter(({ start }) => start === 'postgres')),
    { handle: [{ handler: 'close' }], match: [{ not: [firstByte(handshake)] }] },
    // TLS ends here, not in the server: layer4 0.1.2 lets go of the bytes that it has looked at before a server behind it has read
    // them, and the next connection writes its own over them. A handshake that is over has none left. Last, for the same reason.
    { handle: [{ connection_policies: policies, handler: 'tls' }], match: [firstByte(handshake)] },
  ]
  return { listener_wrappers: [{ matching_timeout: matchingTimeout, routes, wrapper: 'layer4' }] }
}

/** A name without a certificate of its own is shown that of the domain, if it is one below; every other gets a TLS alert. */
export function connectionPolicies(domain: string, egress: EgressSettings | undefined) {
  const own = { fallback_sni: domain, match: { sni: agentHostPatterns(domain) } }
  const foreign = foreignNames(egress)
  return [own, ...(foreign.length > 0 ? [{ match: { sni: [defaultDomain] } }, ...foreign] : []), {}]
}

/** The first byte of every TLS connection. */
const handshake = String.raw`\x16`

const firstByte = (pattern: string) => ({ regexp: { count: 1, pattern: `^${pattern}` } })

/** A browser at such a host is shown the proxy's page about it. */
const notHttp = { not: [{ tls: { alpn: httpProtocols } }] }

/** Clients of Postgres before 17 ask for TLS in its own words, and shake hands once they are told yes. */
function postgresStart(hosts: readonly NamedHost[]) {
  if (hosts.length === 0) return []
  const handle = [{ handler: 'postgres_tls' }, ...byName(hosts)]
  return [{ handle, match: [{ postgres: { tls: 'enabled' } }] }]
}

/** What goes to none of the hosts is closed. */
function byName(hosts: readonly NamedHost[]) {
  const routes = hosts.map(({ alpn = [], dial, host }) => ({
    handle: [{ connection_policies: alpnPolicies(alpn), handler: 'tls' }, proxyTo(dial)],
    match: [{ tls: { sni: [host] } }],
  }))
  return [{ handler: 'subroute', routes }, { handler: 'close' }]
}

/** Who asks for one of these is told so. Who asks for another, or for none, is told nothing and served all the same. */
function alpnPolicies(alpn: readonly string[]) {
  const whateverIsAsked = { alpn: [] }
  return alpn.length === 0 ? [whateverIsAsked] : [{ alpn, match: { alpn } }, whateverIsAsked]
}

function proxyTo(dial: string) {
  return { handler: 'proxy', upstreams: [{ dial: [dial] }] }
}

const namesOf = (hosts: readonly NamedHost[]) => hosts.map(({ host }) => host)

/** A host stands once, whatever the labels of two containers say. */
function oneForEachHost(named: readonly NamedHost[]): NamedHost[] {
  const sorted = named.toSorted((a, b) => (a.host === b.host ? compare(a.dial, b.dial) : compare(a.host, b.host)))
  return sorted.filter(({ host }, index) => host !== sorted[index - 1]?.host)
}

const compare = (a: string, b: string) => (a < b ? -1 : 1)
