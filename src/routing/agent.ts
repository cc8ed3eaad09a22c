// Owns the plain data an agent is made of once it has been read from the engine. No behaviour, no I/O.

/** State of an agent's container, in the engine's own words. */
export type AgentState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** A declared endpoint. `port` is the port inside the container; a type without one leaves it out. */
export interface Endpoint {
  name: string
  port?: number
  type: string
}

/** How Caddy speaks to what is behind an endpoint. */
export type UpstreamProtocol = 'http' | 'https' | 'h2c'

/** What an endpoint type asks of the proxy for one endpoint. Travels in the container's labels. */
export interface RouteFragment {
  endpoint: string
  /** A port inside the container that answers for the endpoint's host. */
  upstream: { port: number; protocol: UpstreamProtocol }
}

/** An agent as the engine knows it: the container's labels, its state and its published ports. */
export interface Agent {
  /** The git branch that its workspace is a worktree of. */
  branch?: string
  containerId: string
  /** ISO 8601. */
  createdAt: string
  endpoints: Endpoint[]
  /** True when the container stays after the agent has ended, until it is destroyed. */
  keep: boolean
  name: string
  /** Container port to the port on 127.0.0.1 it is published at; empty while the container is not running. */
  published: Record<number, number>
  /** The repository of that worktree: `host/owner/repo`, or `_local/…`. */
  repository?: string
  routes: RouteFragment[]
  /** `run_` and 12 hex digits. */
  runId: string
  state: AgentState
  /** The host directory mounted at /workspace. */
  workspace: string
}

/** True while the agent's container lives. */
export function isLive({ state }: Pick<Agent, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

/** True once the agent has run and ended: one that is just being created or removed has not. */
export function hasEnded({ state }: Pick<Agent, 'state'>): boolean {
  return state === 'exited' || state === 'dead'
}

/** True for an agent that keeps the proxy up: it lives and has endpoints. */
export function needsProxy(agent: Agent): boolean {
  return agent.endpoints.length > 0 && isLive(agent)
}
