// Owns Caddy's servers: the one on loopback that people's programs reach, and those that agents reach from inside their
// containers, over unix sockets, by HTTP and HTTPS. Pure.
import { join } from 'node:path'
import type { CaddyRoute } from '../routing/agent.js'
import type { RouteTable } from '../routing/route-table.js'
import { agentHostPatterns, defaultDomain, ownPath } from '../routing/urls.js'
import { linkDirectories, ownName, peerEndings } from '../routing/way-in.js'
import type { CaddySettings } from './caddy-settings.js'
import { namesServer } from './certificates.js'
import { egressServers } from './egress-servers.js'
import { connectionPolicies, front } from './front.js'
import { lowerCase } from './lower-case.js'
import { onlyByTls } from './only-by-tls.js'
import { ownRedirectsRoute } from './own-redirects.js'
import { indexPages, pageOfHost, pageRoutes, pagesAtAgents, problemPages } from './page-routes.js'
import { accessLog } from './request-log.js'
import { answerRoute, notListedHere, notListedThere, notYours, refusal, unknownHost } from './responses.js'
import { agentRoutes, noDoor, type Side } from './upstream-routes.js'

export function servers(settings: CaddySettings, table: RouteTable) {
  const { domain, egress, inside, listeners, pagesSocket, plain, recorded } = settings
  const common = (from: Side, first: CaddyRoute[] = []) => ({
    ...accessLog(recorded),
    // Its scan of host matchers grows faster than their number.
    automatic_https: { disable: true },
    errors: { routes: [...noDoor(settings, from), problemPages] },
    named_routes: { ...answerRoute(), ...lowerCaseRoute, ...ownRedirectsRoute(settings), ...pageRoutes(pagesSocket) },
    // No h3: Chromium does not use it with a local root.
    protocols: ['h1', 'h2'],
    routes: [
      ...(from === 'inside' ? insideGate(settings) : outsideGate(domain, first)),
      pagesAtAgents,
      ...agentRoutes(settings, table, from),
    ],
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
      ...front(settings, table),
      listen: listeners,
    },
    names: namesServer(settings),
    ...egressServers(egress, domain),
    ...(plain !== undefined && {
      plain: {
        ...common('outside', [onlyByTls(domain, table.hostRoutes)]),
        listen: [`unix/${plain}|0600`],
        listener_wrappers: [told],
        protocols: ['h1', 'h2c'],
      },
    }),
  }
}

/**
 * The hosts the proxy answers at all: a page elsewhere must not reach agents under a name of its own. `localhost` leads to
 * the domain, as an address does.
 */
function ownHosts(domain: string): { agents: string[]; others: string[] } {
  const others = [defaultDomain, '127.0.0.1', '::1'].filter((host) => host !== domain)
  return { agents: agentHostPatterns(domain), others }
}

/** `first` comes before all that is served. What is no agent's host has left when the routes of agents begin: none of them asks again. */
function outsideGate(domain: string, first: CaddyRoute[]): CaddyRoute[] {
  const { agents, others } = ownHosts(domain)
  const notAgents = [{ handle: pageOfHost, match: [{ host: others }], terminal: true }, { handle: refusal(domain) }]
  return [
    { handle: [{ handler: 'subroute', routes: [{ handle: [inLowerCase] }, refuseOddHosts(domain)] }], match: [odd] },
    ...first,
    indexPages(domain),
    {
      handle: [{ handler: 'subroute', routes: notAgents }],
      match: [{ not: [{ host: agents }] }],
      terminal: true,
    },
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
const inLowerCase = { handler: 'invoke', name: 'lower_case' }
const lowerCaseRoute: Record<string, CaddyRoute> = {
  [inLowerCase.name]: {
    handle: [
      {
        handler: 'headers',
        request: {
          replace: {
            Host: [...lowerCase, { replace: '$1$2', search_regexp: String.raw`([a-z0-9_-])\.(:\d*)?$` }],
          },
        },
      },
    ],
  },
}

/**
 * From inside a container the proxy answers at the URLs of that container's agent, and of others where both list each other: a
 * file says which names belong to the address. The address is the doorkeeper's word, not the client's. Only what is plain and an
 * agent's passes, so nothing after it asks for that again.
 */
function insideGate({ domain, proxy }: CaddySettings): CaddyRoute[] {
  const agentLabel = `{http.request.host.labels.${domain.split('.').length}}`
  const at = (ending: string) => ({
    ...plain,
    file: {
      root: join(proxy, linkDirectories.own),
      try_files: [`/${ownName('{http.request.remote.host}', agentLabel, ending)}`],
    },
    host: agentHostPatterns(domain),
  })
  // With what acts on an agent, only the agent itself has business.
  const peer = { ...at(peerEndings.open), not: [{ path: [`${ownPath}*`] }] }
  const say = (handle: CaddyRoute['handle'], match?: object) => ({
    handle,
    ...(match && { match: [match] }),
    terminal: true,
  })
  const refusals = [
    say(unknownHost, at(peerEndings.absent)),
    say(notListedThere(agentLabel), at(peerEndings['unlisted-there'])),
    say(notListedHere(agentLabel), at(peerEndings['unlisted-here'])),
    say(notYours),
  ]
  const strangers = {
    handle: [{ handler: 'subroute', routes: refusals }],
    match: [{ not: [at(''), peer] }],
    terminal: true,
  }
  return [{ handle: [inLowerCase], match: [odd] }, strangers]
}
