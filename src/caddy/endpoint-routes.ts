// Owns what Caddy is told about endpoints that are more than a port: routes of plugins, files of a workspace. Pure.
import { literal } from '../endpoints/literal.js'
import type { CaddyRoute, ServedFiles } from '../routing/agent.js'
import type { HostRoutes } from '../routing/route-table.js'
import { asItWasSent } from './kept-request.js'
import { nothingHere } from './responses.js'

const nothing = [asItWasSent, ...nothingHere]

/**
 * One route for all hosts that have something special, so that a request for any other host is matched against one
 * list, not against a route each. Inside, what an endpoint's routes pass on goes to the shared reverse proxies.
 */
export function endpointRoutes(hostRoutes: readonly HostRoutes[], filesSocket: string): CaddyRoute[] {
  const all = oneForEachHost(hostRoutes)
  if (all.length === 0) return []
  return [
    {
      handle: [{ handler: 'subroute', routes: all.map((one) => endpointRoute(one, filesSocket)) }],
      match: [{ host: all.flatMap(({ hosts }) => hosts) }],
    },
  ]
}

function endpointRoute(hostRoutes: HostRoutes, filesSocket: string): CaddyRoute {
  const { files, hosts, routes, upstream, upstreamHost } = hostRoutes
  const inner = [
    ...routes,
    ...(files ? filesRoutes(hostRoutes, files, filesSocket) : []),
    ...(upstream ? [] : nothing),
    ...(upstreamHost === undefined ? [] : [{ handle: [{ handler: 'vars', moat_host: literal(upstreamHost) }] }]),
  ]
  // One group: a request that one endpoint's routes have passed on is never one for the routes of another.
  return { group: 'endpoint', handle: [{ handler: 'subroute', routes: inner }], match: [{ host: hosts }] }
}

/** A host stands once, whatever the labels of two containers say. */
function oneForEachHost(hostRoutes: readonly HostRoutes[]): HostRoutes[] {
  const seen = new Set<string>()
  return hostRoutes.flatMap((one) => {
    const hosts = one.hosts.filter((host) => !seen.has(host))
    for (const host of hosts) seen.add(host)
    return hosts.length > 0 ? [{ ...one, hosts }] : []
  })
}

/**
 * The supervisor is asked, over a socket that only this user can open, which file a path leads to: Caddy follows
 * symbolic links wherever they lead, and the workspace is the agent's to put links into. Caddy then serves that file.
 */
function filesRoutes(
  { endpoint, runId, upstream }: HostRoutes,
  { browse }: ServedFiles,
  filesSocket: string,
): CaddyRoute[] {
  const header = (name: string) => `{http.reverse_proxy.header.X-Moat-${name}}`
  const served = {
    match: { status_code: [200] },
    routes: [
      {
        handle: [
          {
            handler: 'headers',
            response: { set: { 'Content-Type': [header('Type')], 'X-Content-Type-Options': ['nosniff'] } },
          },
          { handler: 'rewrite', uri: header('File') },
          { canonical_uris: false, handler: 'file_server', root: '/' },
        ],
      },
    ],
  }
  const moved = {
    match: { status_code: [308] },
    routes: [
      { handle: [{ handler: 'static_response', headers: { Location: [header('Location')] }, status_code: 308 }] },
    ],
  }
  // Only the names in it: with no index files, a directory that became a link meanwhile gives nothing else away.
  const listed = {
    match: { status_code: [204] },
    routes: [{ handle: [{ browse: {}, handler: 'file_server', hide: ['.*'], index_names: [], root: header('Root') }] }],
  }
  // Caddy goes on with what comes after this handler once it has found something to do here that is no answer.
  const passOn = { routes: [{ handle: [{ handler: 'vars', moat_files: 'none' }] }] }
  const ask = {
    handle_response: [served, moved, ...(browse ? [listed] : []), upstream ? passOn : { routes: nothing }],
    handler: 'reverse_proxy',
    headers: { request: { set: { 'X-Moat-Endpoint': [endpoint], 'X-Moat-Run': [runId] } } },
    rewrite: { method: 'GET' },
    transport: { protocol: 'http' },
    upstreams: [{ dial: `unix/${filesSocket}` }],
  }
  const reads = { method: ['GET', 'HEAD'] }
  // A body is for a server: asking for a file would use it up.
  if (upstream) return [{ handle: [ask], match: [{ ...reads, header: { 'Content-Length': null } }] }]
  const readOnly = { handle: [{ handler: 'static_response', headers: { Allow: ['GET, HEAD'] }, status_code: 405 }] }
  return [
    { ...readOnly, match: [{ not: [reads] }], terminal: true },
    { handle: [ask], terminal: true },
  ]
}
