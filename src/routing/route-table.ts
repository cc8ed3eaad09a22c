// Owns the route table: a pure value computed from agents, from host names to what answers them.
import {
  type Agent,
  type CaddyRoute,
  isLive,
  type RouteFragment,
  type ServedFiles,
  type UpstreamProtocol,
} from './agent.js'
import { agentHost, defaultDomain, endpointHost } from './urls.js'

/** A host that is handed on whole, to a loopback address. */
export interface Upstream {
  /** `host:port` on loopback. */
  dial: string
  host: string
  protocol: UpstreamProtocol
}

/** What an endpoint type wants done with requests for its hosts before they are handed on, or instead. */
export interface HostRoutes {
  agent: string
  endpoint: string
  files?: ServedFiles
  hosts: string[]
  /** What the container sees as Host of what the routes pass on, if that is not the host that was asked for. */
  upstreamHost?: string
  /** The plugin to name when Caddy refuses them. */
  plugin: string
  routes: CaddyRoute[]
  runId: string
  /** True when `Upstream`s have these hosts too, for what the routes pass on. */
  upstream: boolean
}

/** An agent whose container has a socket of its own to the proxy, for its own hosts. */
export interface AgentSocket {
  agent: string
  runId: string
}

export interface RouteTable {
  agentSockets: AgentSocket[]
  hostRoutes: HostRoutes[]
  upstreams: Upstream[]
}

export const emptyTable: RouteTable = { agentSockets: [], hostRoutes: [], upstreams: [] }

/** The plugin of endpoints that do not name one: this package. */
export const corePlugin = 'moat-cli'

/** A placeholder for the loopback address of a container port, in the routes of a fragment. */
const dialPlaceholder = /\{moat\.dial\.(\d+)\}/g

/**
 * The routes of all running agents below a domain, sorted by host. The bare agent host goes to the only endpoint that has routes, or to
 * the one that is the default. A fragment whose port is not published (yet) has none.
 */
export function routeTable(agents: readonly Agent[], domain: string): RouteTable {
  const tables = agents.flatMap((agent) => agent.routes.map((fragment) => tableOf(agent, fragment, domain)))
  return {
    agentSockets: agents
      // As its routes are: a stop is one change of Caddy's config, not two.
      .filter((agent) => agent.forwards !== undefined && isLive(agent))
      .map(({ name, runId }) => ({ agent: name, runId }))
      .toSorted((a, b) => compare(a.runId, b.runId)),
    hostRoutes: tables
      .flatMap(({ hostRoutes }) => hostRoutes)
      .toSorted((a, b) => compare(a.hosts[0] ?? '', b.hosts[0] ?? '')),
    upstreams: tables.flatMap(({ upstreams }) => upstreams).toSorted((a, b) => compare(a.host, b.host)),
  }
}

/** Every host that has an answer. */
export function hostsOf({ hostRoutes, upstreams }: RouteTable): string[] {
  return [...new Set([...upstreams.map(({ host }) => host), ...hostRoutes.flatMap(({ hosts }) => hosts)])]
}

/** The container ports that the routes of a fragment dial. */
export function dialledPorts({ routes = [], upstream }: Pick<RouteFragment, 'routes' | 'upstream'>): number[] {
  const named = [...JSON.stringify(routes).matchAll(dialPlaceholder)].map(([, port]) => Number(port))
  return [...new Set([...(upstream ? [upstream.port] : []), ...named])]
}

function tableOf(agent: Agent, fragment: RouteFragment, domain: string): Omit<RouteTable, 'agentSockets'> {
  if (dialledPorts(fragment).some((port) => agent.published[port] === undefined)) return emptyTable
  const { endpoint, files, routes = [], upstream } = fragment
  const bare = isDefault(agent, fragment) ? [agentHost(agent.name, domain)] : []
  const hosts = [endpointHost(agent.name, endpoint, domain), ...bare]
  const special = routes.length > 0 || files !== undefined || upstream === undefined || upstream.host !== undefined
  const hostRoutes: HostRoutes = {
    agent: agent.name,
    endpoint,
    ...(files && { files }),
    hosts,
    plugin: agent.endpoints.find(({ name }) => name === endpoint)?.plugin ?? corePlugin,
    routes: dialling(routes, agent),
    runId: agent.runId,
    upstream: upstream !== undefined,
    ...(upstream?.host !== undefined && { upstreamHost: upstream.host }),
  }
  return {
    // Files and fixed answers come from no container port: only the agent's state tells whether it is there.
    hostRoutes: special && isLive(agent) ? [hostRoutes] : [],
    upstreams: upstream
      ? hosts.map((host) => ({ dial: dialOf(agent, upstream.port), host, protocol: upstream.protocol }))
      : [],
  }
}

/** The endpoint that answers at the agent's bare host, if one does. */
export function defaultEndpoint(agent: Pick<Agent, 'routes'>): string | undefined {
  return agent.routes.find((fragment) => isDefault(agent, fragment))?.endpoint
}

function isDefault({ routes }: Pick<Agent, 'routes'>, fragment: RouteFragment): boolean {
  return fragment.default ?? (routes.length === 1 && !routes.some((other) => other.default))
}

function dialOf({ published }: Agent, port: number): string {
  return `127.0.0.1:${published[port]}`
}

/** The routes with the addresses of this start of the container in place of the placeholders. */
function dialling(routes: CaddyRoute[], agent: Agent): CaddyRoute[] {
  const text = JSON.stringify(routes).replace(dialPlaceholder, (_, port: string) => dialOf(agent, Number(port)))
  return JSON.parse(text) as CaddyRoute[]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * The names that certificates are made for: the domain, `localhost`, the hosts that are answered, and the bare hosts of their agents,
 * which have a page of the proxy's even when no single endpoint has them. Sorted, each once.
 */
export function certificateHosts(hosts: readonly string[], domain: string): string[] {
  const all = new Set([defaultDomain, domain])
  for (const host of hosts) {
    all.add(host)
    all.add(host.slice(host.indexOf('.') + 1))
  }
  return [...all].toSorted()
}
