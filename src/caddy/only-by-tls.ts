// Owns what is not served by plain HTTP, but redirected to HTTPS: whatever has a secret to lose. Pure.
//
// Nothing leaves this machine, and who reads along on loopback is root. But a client of plain HTTP does not know whom it talks to:
// while no proxy runs, its port is anybody's, and a password or a key would be sent to whoever took it.
import type { CaddyRoute } from '../routing/agent.js'
import type { HostRoutes } from '../routing/route-table.js'

/** To be asked before all pages and endpoints, and once the host is in lower case. */
export function onlyByTls(domain: string, hostRoutes: readonly HostRoutes[]): CaddyRoute {
  const locked = hostRoutes.filter(({ routes }) => asksForPassword(routes)).flatMap(({ hosts }) => hosts)
  const hosts = [...new Set([domain, ...locked])].toSorted()
  // 308 keeps method and body.
  const headers = { Connection: ['close'], Location: ['https://{http.request.hostport}{http.request.uri}'] }
  return {
    handle: [{ handler: 'static_response', headers, status_code: 308 }],
    match: [{ host: hosts }],
    terminal: true,
  }
}

/** However deep it is in them. */
function asksForPassword(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if ('handler' in value && value.handler === 'authentication') return true
  return Object.values(value).some(asksForPassword)
}
