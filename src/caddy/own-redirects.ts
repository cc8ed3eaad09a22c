// Owns redirects to where an app believes that it is: the address in its container at which it listens, which is nowhere for
// who asked. The proxy has it be the URL that was asked, as a `proxy_redirect` does elsewhere. Pure.
import { join } from 'node:path'
import { linkDirectories, portName } from '../routing/way-in.js'
import type { CaddySettings } from './caddy-settings.js'

/** Loopback, all addresses, and the name that an engine gives a container. */
const inContainer = String.raw`localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|[0-9a-f]{12}`
const location = '{http.reverse_proxy.header.Location}'

const name = 'own_redirects'

/**
 * For `handle_response` of whatever hands requests on: of all responses, only one with an absolute Location is looked at any
 * closer, by a route that the server has once.
 */
export const ownRedirects = [
  {
    match: { headers: { Location: ['http*'] } },
    routes: [{ handle: [{ handler: 'invoke', name }] }],
  },
]

/**
 * That the port is the endpoint's is known by a file, so that agents come and go without a change of the config. Any other port
 * may be a server of somebody else's.
 */
export function ownRedirectsRoute({ proxy }: CaddySettings) {
  const pattern = `^https?://(?:${inContainer}):(\\d{1,5})([/?#].*)?$`
  const own = { vars_regexp: { [location]: { name: 'own', pattern } } }
  const file = {
    root: join(proxy, linkDirectories.ports),
    try_files: [`/${portName('{http.request.host}', '{http.regexp.own.1}')}`],
  }
  const asked = '{http.request.scheme}://{http.request.hostport}{http.regexp.own.2}'
  const corrected = {
    handle: [{ handler: 'headers', response: { deferred: true, set: { Location: [asked] } } }],
    match: [{ file }],
  }
  // Within each other: of two matchers of one route, nobody knows which is asked first.
  const routes = [{ handle: [{ handler: 'subroute', routes: [corrected] }], match: [own] }]
  return { [name]: { handle: [{ handler: 'subroute', routes }, { handler: 'copy_response' }] } }
}
