// Owns the public form of an agent: what `list --json`, `run --json` and `proxy status --json` print.
import type { Agent, AgentState, Endpoint } from './agent.js'
import { type ProxyAddress, urlOf } from './urls.js'

export interface EndpointView extends Endpoint {
  url: string
}

/** Fields may be added, never removed or renamed. */
export interface AgentView {
  /** For an agent in a git worktree only. */
  branch?: string
  /** ISO 8601. */
  createdAt: string
  endpoints: EndpointView[]
  name: string
  /** For an agent in a git worktree only. */
  repository?: string
  runId: string
  state: AgentState
  /** Absolute path on the host. */
  workspace: string
}

export function viewAgent(agent: Agent, address: ProxyAddress): AgentView {
  const { branch, createdAt, endpoints, name, repository, runId, state, workspace } = agent
  return {
    ...(branch !== undefined && { branch }),
    createdAt,
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, url: urlOf(name, endpoint, address) })),
    name,
    ...(repository !== undefined && { repository }),
    runId,
    state,
    workspace,
  }
}

/** Endpoints as text: `web:3000, api:8080`. */
export function describeEndpoints(endpoints: readonly Endpoint[]): string {
  return endpoints.map(({ name, port, type }) => `${name}:${port ?? type}`).join(', ')
}
