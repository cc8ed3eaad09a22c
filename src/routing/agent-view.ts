// Owns the public form of an agent: what `list --json`, `run --json` and `proxy status --json` print.

import type { Agent, AgentService, AgentState, Endpoint } from './agent.js'
import type { AgentEnd } from './agent-end.js'
import { type ProxyAddress, urlOf } from './urls.js'

export interface EndpointView extends Endpoint {
  url: string
}

/** Fields may be added, never removed or renamed. */
export interface AgentView {
  /** Why moat has paused it: of an agent in a git checkout whose config it may have changed. */
  alarm?: string
  /** For an agent in a git worktree only. */
  branch?: string
  /** Present when it works in a clone of its own: nothing of its workspace is mounted. */
  clone?: true
  /** ISO 8601. */
  createdAt: string
  /** Present when whatever listens in its container is an endpoint. */
  discover?: true
  /** How it ended, of one that has. */
  end?: AgentEnd
  endpoints: EndpointView[]
  name: string
  /** For an agent in a git worktree only. */
  repository?: string
  runId: string
  /** What runs beside it; absent for none. */
  services?: AgentService[]
  state: AgentState
  /** Ports on which something listens in its container, and that have no URL. Absent when there are none, or nobody looked. */
  undeclared?: number[]
  /** Absolute path on the host. */
  workspace: string
}

export function viewAgent(agent: Agent, address: ProxyAddress): AgentView {
  const { branch, clone, createdAt, discover, end, endpoints, name, repository, runId, services, state, workspace } =
    agent
  return {
    ...(branch !== undefined && { branch }),
    ...(clone !== undefined && { clone: true as const }),
    createdAt,
    ...(discover && { discover }),
    ...(end && { end }),
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, url: urlOf(name, endpoint, address) })),
    name,
    ...(repository !== undefined && { repository }),
    runId,
    ...(services && { services }),
    state,
    workspace,
  }
}

/** Endpoints as text: `web:3000, api:8080, 5173`; the last is a discovered one. */
export function describeEndpoints(endpoints: readonly Endpoint[]): string {
  return endpoints.map(describeEndpoint).join(', ')
}

export function describeEndpoint({ discovered, name, port, type }: Endpoint): string {
  return discovered ? name : `${name}:${port ?? type}`
}
