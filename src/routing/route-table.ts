// Owns the route table: a pure value computed from agents, from host name to the loopback address that answers it.
import type { Agent, UpstreamProtocol } from './agent.js'
import { agentHost, defaultDomain, endpointHost } from './urls.js'

export interface Route {
  /** `host:port` on loopback. */
  dial: string
  host: string
  protocol: UpstreamProtocol
}

/**
 * The routes of all running agents, sorted by host. The bare agent host goes to its only endpoint; with several it
 * has no route. A fragment whose port is not published (yet) has none either.
 */
export function routeTable(agents: readonly Agent[]): Route[] {
  return agents.flatMap((agent) => routesOf(agent)).toSorted((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0))
}

function routesOf(agent: Agent): Route[] {
  const routes = agent.routes.flatMap(({ endpoint, upstream }): Route[] => {
    const port = agent.published[upstream.port]
    if (port === undefined) return []
    return [{ dial: `127.0.0.1:${port}`, host: endpointHost(agent.name, endpoint), protocol: upstream.protocol }]
  })
  const [only] = routes
  if (agent.endpoints.length === 1 && only) routes.push({ ...only, host: agentHost(agent.name) })
  return routes
}

/**
 * The names that certificates are made for: `localhost`, the hosts that are answered, and the bare hosts of their agents,
 * which have a page of the proxy's even when no single endpoint has them. Sorted, each once.
 */
export function certificateHosts(hosts: readonly string[]): string[] {
  const all = new Set([defaultDomain])
  for (const host of hosts) {
    all.add(host)
    all.add(host.slice(host.indexOf('.') + 1))
  }
  return [...all].toSorted()
}
