// Owns Caddy's servers: the one on loopback that people's programs reach, and those that agents reach from inside their
// containers, over unix sockets, by HTTP and HTTPS. Pure.
import { join } from 'node:path'
import type { CaddyRoute } from '../routing/agent.js'
import type { RouteTable } from '../routing/route-table.js'
import { agentHostPatterns, defaultDomain, ownPath } from '../routing/urls.js'
import { linkDirectories, peerEndings } from '../routing/way-in.js'
import type { CaddySettings } from './caddy-settings.js'
import { namesServer } from './certificates.js'
import { egressServers, foreignNames } from './egress-servers.js'
import type { EgressSettings } from './egress-settings.js'
import { endpointRoutes } from './endpoint-routes.js'
import { lowerCase } from './lower-case.js'
import { ownRedirectsRoute } from './own-redirects.js'
import { ownPages, pageOr, problemPages } from './page-routes.js'
import { accessLog } from './request-log.js'
import { notListedHere, notListedThere, notYours, refusal, unknownHost } from './responses.js'
import { counted, doorRoutes, lookUp, noDoor, proxyRoutes, type Side } from './upstream-routes.js'

export function servers(settings: CaddySettings, table: RouteTable) {
  const { domain, egress, inside, listeners, pagesSocket, recorded } = settings
  const common = (from: Side) => ({
    ...accessLog(recorded),
    // Its scan of host matchers grows faster than their number.
    automatic_https: { disable: true },
    errors: { routes: [...noDoor(settings, from), ...problemPages(pagesSocket)] },
    named_routes: ownRedirectsRoute(settings),
    // No h3: Chromium does not use it with a local root.
    protocols: ['h1', 'h2'],
    routes: [...(from === 'inside' ? insideGate(settings) : []), ...routes(settings, table, from)],
  })
  const tls = { tls_connection_policies: connectionPolicies(domain, egress) }
  // Who listens there tells by whom a connection was made, with an address of the agent's.
  const told = { wrapper: 'proxy_protocol' }
  return {
    inside: {
      ...common('inside'),
      ...tls,
      listen: [`unix/${inside.tls}|0600`],
      listener_wrappers: [told, { wrapper: 'tls' }],
    },
    inside_plain: {
      ...common('inside'),
      listen: [`unix/${inside.plain}|0600`],
      listener_wrappers: [told],
      protocols: ['h1'],
    },
    moat: {
      ...common('outside'),
      ...tls,
      listen: listeners,
      listener_wrappers: [{ wrapper: 'http_redirect' }, { wrapper: 'tls' }],
    },
    names: namesServer(settings),
    ...egressServers(egress, domain),
  }
}

/** A name without a certificate of its own is shown that of the domain, if it is one below; every other gets a TLS alert. */
function connectionPolicies(domain: string, egress: EgressSettings | undefined) {
  const own = { fallback_sni: domain, match: { sni: agentHostPatterns(domain) } }
  const foreign = foreignNames(egress)
  return [own, ...(foreign.length > 0 ? [{ match: { sni: [defaultDomain] } }, ...foreign] : []), {}]
}

/**
 * The hosts the proxy answers at all: a page elsewhere must not reach agents under a name of its own. `localhost` leads to
 * the domain, as an address does.
 */
function ownHosts(domain: string): { agents: string[]; others: string[] } {
  const others = [defaultDomain, '127.0.0.1', '::1'].filter((host) => host !== domain)
  return { agents: agentHostPatterns(domain), others }
}

/**
 * Whatever is asked of an agent passes one route, for Caddy counts a request at each that it passes, and matches few others. Those
 * after it are for hosts that no agent could have.
 */
function routes(settings: CaddySettings, table: RouteTable, from: Side): CaddyRoute[] {
  const { connections, domain, filesSocket, pagesSocket } = settings
  const { agents, others } = ownHosts(domain)
  const atAgents = [
    // Before the routes of plugins: whatever they do to a request, it stays with its own host.
    ...lookUp(table),
    ...endpointRoutes(table.hostRoutes, filesSocket),
    ...proxyRoutes(table.upstreams, from),
    ...doorRoutes(from),
  ]
  return [
    { handle: [{ handler: 'subroute', routes: [inLowerCase, refuseOddHosts(domain)] }], match: [odd] },
    ...ownPages(pagesSocket, domain),
    {
      handle: [counted(connections, from), { handler: 'subroute', routes: atAgents }],
      match: [{ host: agents }],
      terminal: true,
    },
    { ...pageOr(pagesSocket, unknownHost), match: [{ host: others }], terminal: true },
    { handle: refusal(domain) },
  ]
}

/**
 * How a host may be spelled, once it is in lower case. Over HTTP/2 Caddy takes any text for one, slashes too, and a host becomes
 * part of paths: to sockets, and to files that say whose it is.
 */
const plain = { header_regexp: { Host: { pattern: String.raw`^(?:[a-z0-9_.-]+|\[::1\])(?::\d*)?$` } } }
/** Every host that is not plain, and some that are: one look at hosts as nearly everybody spells them. */
const odd = { not: [{ header_regexp: { Host: { pattern: String.raw`^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+(?::\d*)?$` } } }] }

const refuseOddHosts = (domain: string): CaddyRoute => ({
  handle: refusal(domain),
  match: [{ not: [plain] }],
  terminal: true,
})

/**
 * A host has one name, however it is spelled (RFC 9110, 4.2.3), but matchers and paths compare bytes. The dot that ends a
 * full name is one more way to spell it.
 */
const inLowerCase: CaddyRoute = {
  handle: [
    {
      handler: 'headers',
      request: {
        replace: {
          Host: [...lowerCase, { replace: '$1', search_regexp: String.raw`\.(:\d+)?$` }],
        },
      },
    },
  ],
}

/**
 * From inside a container the proxy answers at the URLs of that container's agent, and of others where both list each other: a
 * file says which names belong to the address. The address is the doorkeeper's word, not the client's.
 */
function insideGate({ domain, proxy }: CaddySettings): CaddyRoute[] {
  const agentLabel = `{http.request.host.labels.${domain.split('.').length}}`
  const at = (ending: string) => ({
    ...plain,
    file: { root: join(proxy, linkDirectories.own), try_files: [`/{http.request.remote.host}/${agentLabel}${ending}`] },
    host: agentHostPatterns(domain),
  })
  // With what acts on an agent, only the agent itself has business.
  const peer = { ...at(peerEndings.open), not: [{ path: [`${ownPath}*`] }] }
  const refuse = (routes: readonly CaddyRoute[], match: object) => ({
    handle: [{ handler: 'subroute', routes: [...routes] }],
    match: [match],
    terminal: true,
  })
  const refusals = [
    refuse(unknownHost, at(peerEndings.absent)),
    refuse(notListedThere(agentLabel), at(peerEndings['unlisted-there'])),
    refuse(notListedHere(agentLabel), at(peerEndings['unlisted-here'])),
    ...notYours,
  ]
  return [{ ...inLowerCase, match: [odd] }, refuse(refusals, { not: [at(''), peer] })]
}
