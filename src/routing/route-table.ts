// Owns the route table: a pure value computed from agents, from host names to what answers them.
import {
  type Agent,
  type CaddyRoute,
  isLive,
  type NamedPort,
  type RouteFragment,
  type ServedFiles,
  type UpstreamProtocol,
} from './agent.js'
import { type PeerView, peerViews } from './peers.js'
import { agentHost, endpointHost } from './urls.js'
import { dialAddress, isLinkable, quickSuffix, wayName } from './way-in.js'

/**
 * A host whose requests go to a socket that is linked under the host's name: Caddy's config does not know of it, so that its
 * agent comes and goes without a change of the config.
 */
export interface Door {
  agent: string
  /** It comes and goes by itself. */
  discovered?: true
  host: string
  /** Its redirects to where it believes that it is stay as they are. */
  keepsRedirects?: true
  /** Inside the container. */
  port: number
  runId: string
}

/** A host that is handed on whole, by Caddy's config. */
export interface Upstream {
  /** `host:port` on loopback, or `unix/` and a path. */
  dial: string
  host: string
  /** As with doors. */
  keepsRedirects?: true
  /** Inside the container. */
  port?: number
  protocol: UpstreamProtocol
  /** Where a person's browser is refused sooner that a program, if that is elsewhere. */
  quickDial?: string
  /** Of the agent it leads to. */
  runId?: string
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

/** A host that is reached by its name in a TLS handshake, over which something else than HTTP is spoken. */
export interface NamedHost extends NamedPort {
  agent: string
  /** `host:port` on loopback, or `unix/` and a path. */
  dial: string
  endpoint: string
  host: string
  runId: string
}

/** An agent by its name and its run. */
export interface NamedRun {
  agent: string
  runId: string
}

export interface RouteTable {
  /** Agents that may get hosts while they run, without the engine saying so. */
  discovering: NamedRun[]
  doors: Door[]
  hostRoutes: HostRoutes[]
  /** Agents that reach their own hosts from inside their containers. */
  inside: NamedRun[]
  /** How they are to others from there. */
  peers: PeerView[]
  /** For a Caddy that can tell them from HTTPS. */
  named: NamedHost[]
  upstreams: Upstream[]
  /** Container ports that Caddy's config dials by the agents' sockets. */
  ways: Way[]
}

/** A container port that is dialled by its socket. */
export interface Way {
  port: number
  runId: string
}

export const emptyTable: RouteTable = {
  discovering: [],
  doors: [],
  hostRoutes: [],
  inside: [],
  named: [],
  peers: [],
  upstreams: [],
  ways: [],
}

/** The plugin of endpoints that do not name one: this package. */
export const corePlugin = 'moat-cli'

/** A placeholder for where a container port is reached, in the routes of a fragment. */
const dialPlaceholder = /\{moat\.dial\.(\d+)\}/g

/** What one agent has in a table. */
export type OwnPart = Omit<RouteTable, 'peers'>

/** How the lists of a table are sorted. */
export const tableOrder: { [List in keyof OwnPart]: (a: OwnPart[List][number], b: OwnPart[List][number]) => number } = {
  discovering: byRun,
  doors: byHost,
  hostRoutes: (a, b) => compare(a.hosts[0] ?? '', b.hosts[0] ?? ''),
  inside: byRun,
  named: byHost,
  upstreams: byHost,
  ways: (a, b) => byRun(a, b) || a.port - b.port,
}

/**
 * The routes of all running agents below a domain, sorted by host. The bare agent host goes to the only endpoint that has routes, or to
 * the one that is the default. A fragment whose port is not published (yet) has none. Where one table follows another, see `RouteTables`.
 */
export function routeTable(agents: readonly Agent[], domain: string): RouteTable {
  const parts = agents.map((agent) => ownPart(agent, domain))
  const lists = Object.entries(tableOrder).map(([key, order]) => {
    const all = parts.flatMap((part): object[] => part[key as keyof OwnPart])
    return [key, all.sort(order as (a: object, b: object) => number)]
  })
  return { ...(Object.fromEntries(lists) as OwnPart), peers: peerViews(agents) }
}

/** Not sorted. */
export function ownPart(agent: Agent, domain: string): OwnPart {
  const tables = agent.routes.map((fragment) => tableOf(agent, fragment, domain))
  const all = <K extends keyof OwnPart>(key: K) => tables.flatMap((table): unknown[] => table[key] ?? []) as OwnPart[K]
  const one = isLive(agent) ? [{ agent: agent.name, runId: agent.runId }] : []
  return {
    discovering: agent.discover ? one : [],
    doors: all('doors'),
    hostRoutes: all('hostRoutes'),
    inside: agent.forwards === undefined ? [] : one,
    named: all('named'),
    upstreams: all('upstreams'),
    ways: [...all('ways'), ...probedWays(agent)],
  }
}

function byHost(a: { host: string }, b: { host: string }): number {
  return compare(a.host, b.host)
}

function byRun(a: { runId: string }, b: { runId: string }): number {
  return compare(a.runId, b.runId)
}

/** The container ports that the routes of a fragment dial. */
export function dialledPorts({
  named,
  routes = [],
  upstream,
}: Pick<RouteFragment, 'named' | 'routes' | 'upstream'>): number[] {
  const inRoutes = [...JSON.stringify(routes).matchAll(dialPlaceholder)].map(([, port]) => Number(port))
  return [...new Set([...(upstream ? [upstream.port] : []), ...inRoutes, ...(named ? [named.port] : [])])]
}

function tableOf(agent: Agent, fragment: RouteFragment, domain: string): Partial<RouteTable> {
  const ports = dialledPorts(fragment)
  if (ports.some((port) => dialOf(agent, port) === undefined)) return {}
  const { endpoint, files, named, routes = [], upstream } = fragment
  const bare = isDefault(agent, fragment) ? [agentHost(agent.name, domain)] : []
  const hosts = [endpointHost(agent.name, endpoint, domain), ...bare]
  const special =
    answersHttp(fragment) && (routes.length > 0 || files !== undefined || upstream?.host !== undefined || !upstream)
  const isPlain = !special && agent.wayIn === 'sockets' && upstream?.protocol === 'http'
  const linked = isPlain ? hosts.filter(isLinkable) : []
  const configured = upstream ? hosts.filter((host) => !linked.includes(host)) : []
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
  const dialled = special || named || configured.length > 0 ? ports : []
  return {
    doors: linked.map((host) => ({
      agent: agent.name,
      ...(fragment.discovered && { discovered: true }),
      host,
      ...(upstream?.redirects === 'keep' && { keepsRedirects: true }),
      port: upstream?.port ?? 0,
      runId: agent.runId,
    })),
    // Files and fixed answers come from no container port: only the agent's state tells whether it is there.
    hostRoutes: special && isLive(agent) ? [hostRoutes] : [],
    named: named ? [namedHost(agent, fragment.endpoint, named, hosts[0] ?? '')] : [],
    upstreams: upstream ? configured.map((host) => upstreamOf(agent, upstream, host)) : [],
    ways: agent.wayIn === 'sockets' ? dialled.map((port) => ({ port, runId: agent.runId })) : [],
  }
}

/** What `moat wait` asks without Caddy. */
function probedWays({ endpoints, runId, state, wayIn }: Agent): Way[] {
  if (wayIn !== 'sockets' || state !== 'running') return []
  return endpoints.flatMap(({ readiness }) => (readiness?.kind === 'tcp' ? [{ port: readiness.port, runId }] : []))
}

function upstreamOf(
  agent: Agent,
  { port, protocol, redirects }: NonNullable<RouteFragment['upstream']>,
  host: string,
): Upstream {
  const dial = dialOf(agent, port) ?? ''
  return {
    dial,
    host,
    ...(redirects === 'keep' && { keepsRedirects: true }),
    port,
    protocol,
    runId: agent.runId,
    ...(agent.wayIn === 'sockets' && { quickDial: `${dial}${quickSuffix}` }),
  }
}

function namedHost(agent: Agent, endpoint: string, named: NamedPort, host: string): NamedHost {
  return { ...named, agent: agent.name, dial: dialOf(agent, named.port) ?? '', endpoint, host, runId: agent.runId }
}

/** False for an endpoint that is reached by its name alone, which no browser speaks to. */
export function answersHttp({ files, named, routes = [], upstream }: RouteFragment): boolean {
  return named === undefined || files !== undefined || upstream !== undefined || routes.length > 0
}

/** The endpoint that answers at the agent's bare host, if one does. */
export function defaultEndpoint(agent: Pick<Agent, 'routes'>): string | undefined {
  return agent.routes.find((fragment) => isDefault(agent, fragment))?.endpoint
}

/** What the bare host means does not depend on what happens to listen: a discovered endpoint neither has it nor takes it away. */
function isDefault({ routes }: Pick<Agent, 'routes'>, fragment: RouteFragment): boolean {
  if (fragment.discovered || !answersHttp(fragment)) return false
  const declared = routes.filter((one) => !one.discovered && answersHttp(one))
  return fragment.default ?? (declared.length === 1 && !declared.some((other) => other.default))
}

/** Where Caddy reaches a container port; undefined while it cannot. */
function dialOf({ published, runId, state, wayIn }: Agent, port: number): string | undefined {
  // A container that is paused takes connections and answers none.
  if (wayIn === 'sockets') return state === 'running' ? dialAddress(wayName(runId, port)) : undefined
  return published[port] === undefined ? undefined : `127.0.0.1:${published[port]}`
}

/** The routes with the addresses of this start of the container in place of the placeholders. */
function dialling(routes: CaddyRoute[], agent: Agent): CaddyRoute[] {
  const text = JSON.stringify(routes).replace(dialPlaceholder, (_, port: string) => dialOf(agent, Number(port)) ?? '')
  return JSON.parse(text) as CaddyRoute[]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
