// Owns the plain data an agent is made of once it has been read from the engine. No behaviour, no I/O.
import type { NetworkPolicy } from '../egress/policy.js'
import type { AgentEnd } from './agent-end.js'

/** State of an agent's container, in the engine's own words. */
export type AgentState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** How to tell that an endpoint answers. The default: whatever its URL answers that is not the proxy's own. */
export type Readiness =
  /** A GET of this path through the URL answers with a status below 400. */
  | { kind: 'http'; path: string }
  /** The port takes a connection and keeps it. */
  | { kind: 'tcp'; port: number }
  /** It is ready as soon as the agent runs. */
  | { kind: 'none' }

/** What an endpoint type wants to have shown beside an endpoint. `url` may be relative to the endpoint's own. */
export interface EndpointLink {
  title: string
  url: string
}

/** An endpoint: declared, registered by its type, and then in the container's labels, or discovered. */
export interface Endpoint {
  /** More to show of it, by title. */
  columns?: Record<string, string>
  /** True for a port that nobody declared: it is here because something listens there. */
  discovered?: true
  links?: EndpointLink[]
  name: string
  /** The plugin whose type it is of. */
  plugin?: string
  /** The port inside the container; a type without one leaves it out. */
  port?: number
  readiness?: Readiness
  type: string
  /** Its address, when it is not reached through the proxy. */
  url?: string
}

/** How Caddy speaks to what is behind an endpoint. */
export type UpstreamProtocol = 'http' | 'https' | 'h2c'

/** A route as Caddy reads it. */
export interface CaddyRoute {
  [key: string]: unknown
  handle: { [key: string]: unknown; handler: string }[]
}

/** A directory of the workspace that Caddy serves itself. */
export interface ServedFiles {
  /** List directories that have no index.html. */
  browse: boolean
  /** The file to serve where there is none, relative to `root`: what single-page apps need. */
  fallback?: string
  /** Relative to the workspace. */
  root: string
}

/**
 * A port inside the container that is reached at the endpoint's host too, on the proxy's port: over TLS, by the name that a client
 * asks for in its handshake, whatever is spoken then.
 */
export interface NamedPort {
  /** What clients may ask for by ALPN; without it they ask for nothing. */
  alpn?: string[]
  port: number
  /** What a client says before its handshake, if it says something. */
  start?: 'postgres'
}

/** What an endpoint type asks of the proxy for one endpoint. Travels in the container's labels. */
export interface RouteFragment {
  /** True when the bare agent host leads here too. */
  default?: boolean
  /** As in `Endpoint`; never in labels. */
  discovered?: true
  endpoint: string
  /** After `routes`, for requests that they pass on. */
  files?: ServedFiles
  named?: NamedPort
  /** Before anything else. `{moat.dial.3000}` in it is where the proxy reaches a container port. */
  routes?: CaddyRoute[]
  /**
   * A port inside the container that answers what is left. `host`: what it sees as Host, in place of the request's.
   * `redirects`: where it redirects to itself, as it sees itself, is not put right.
   */
  upstream?: { host?: string; port: number; protocol: UpstreamProtocol; redirects?: 'keep' }
}

/** A database or the like that runs beside an agent, for it alone. */
export interface AgentService {
  image: string
  name: string
  /** At which the agent reaches it, in its own container. */
  port: number
}

/** An agent as the engine knows it: the container's labels, its state and its published ports. */
export interface Agent {
  /** The git branch that its workspace is a worktree of. */
  branch?: string
  /** Present when it works in a clone of its own, and nothing of its workspace is mounted: the image its container was made of. */
  clone?: string
  containerId: string
  /** ISO 8601. */
  createdAt: string
  /** Present when whatever listens in its container has a URL by its number. */
  discover?: true
  /** How it ended; absent while it has not, or where that cannot be read. */
  end?: AgentEnd
  endpoints: Endpoint[]
  /** The proxy's ports that are handed on to it from the container's own loopback; absent for none. */
  forwards?: number[]
  /** The grants it has, as `github` or `github@work`; absent for none. Names only. */
  grants?: string[]
  /** True when the container stays after the agent has ended, until it is destroyed. */
  keep: boolean
  name: string
  /** What it may reach; absent where nothing was said about that. Live rules are not in it. */
  network?: NetworkPolicy
  /** Container port to the port on 127.0.0.1 that leads there; empty while the container is not running. */
  published: Record<number, number>
  /** Ports of the container at which moat's forwarder takes what is published, to those that it is for. */
  relays?: Record<number, number>
  /** The repository of that worktree: `host/owner/repo`, or `_local/…`. */
  repository?: string
  routes: RouteFragment[]
  /** `run_` and 12 hex digits. */
  runId: string
  /** What runs beside it; absent for none. */
  services?: AgentService[]
  state: AgentState
  /** How the proxy gets to its servers: sockets of its own, or (absent) the ports in `published`. */
  wayIn?: 'sockets'
  /** The host directory mounted at /workspace. */
  workspace: string
}

/** True while the agent's container lives. */
export function isLive({ state }: Pick<Agent, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

/** True while its processes are there, and keep the connections that they have; paused ones answer at none. */
export function hasProcesses({ state }: { state?: AgentState | undefined }): boolean {
  return state === 'running' || state === 'paused'
}

/** True once the agent has run and ended: one that is just being created or removed has not. */
export function hasEnded({ state }: Pick<Agent, 'state'>): boolean {
  return state === 'exited' || state === 'dead'
}

/** True for an agent that has endpoints, or may come to have some while it runs. */
export function canHaveEndpoints({ discover, endpoints }: Pick<Agent, 'discover' | 'endpoints'>): boolean {
  return discover === true || endpoints.length > 0
}

/**
 * True for an agent that has no use of its container without the proxy: it has endpoints, or a policy for the gate to enforce. Or one
 * with services: the supervisor removes them when it has ended.
 */
export function usesProxy(agent: Pick<Agent, 'discover' | 'endpoints' | 'network' | 'services'>): boolean {
  return canHaveEndpoints(agent) || agent.network !== undefined || agent.services !== undefined
}

/** True for an agent that keeps the proxy up. */
export function keepsProxy(agent: Pick<Agent, 'discover' | 'endpoints' | 'network' | 'services' | 'state'>): boolean {
  return usesProxy(agent) && isLive(agent)
}

/** True for an agent at whose URLs the proxy answers: it lives and has endpoints. */
export function needsProxy(agent: Pick<Agent, 'discover' | 'endpoints' | 'state'>): boolean {
  return canHaveEndpoints(agent) && isLive(agent)
}
