// Owns the list of agents, read from the engine and nowhere else.
import type { Engine } from '../engine/engine.js'
import { needsProxy } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import { agentHost, endpointHost } from '../routing/urls.js'

/** All agents of this user, oldest first. */
export async function listAgents(engine: Engine, proxyPort: number): Promise<AgentView[]> {
  const { agents } = await engine.listAgents()
  return agents.map((agent) => viewAgent(agent, proxyPort))
}

/** The host names of all running agents, sorted. */
export async function listHosts(engine: Engine): Promise<string[]> {
  const { agents } = await engine.listAgents()
  const hosts = agents
    .filter(needsProxy)
    .flatMap(({ endpoints, name }) => [
      agentHost(name),
      ...endpoints.map((endpoint) => endpointHost(name, endpoint.name)),
    ])
  return hosts.toSorted()
}
