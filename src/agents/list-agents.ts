// Owns the list of agents, read from the engine and nowhere else.
import type { Engine } from '../engine/engine.js'
import { needsProxy } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import { agentHost, defaultDomain, endpointHost, type ProxyAddress } from '../routing/urls.js'

/** All agents of this user, oldest first. */
export async function listAgents(engine: Engine, address: ProxyAddress): Promise<AgentView[]> {
  const { agents } = await engine.listAgents()
  return agents.map((agent) => viewAgent(agent, address))
}

/** The host names of all running agents, sorted; with a domain of the user's, that of the index too. */
export async function listHosts(engine: Engine, domain: string): Promise<string[]> {
  const { agents } = await engine.listAgents()
  const hosts = agents
    .filter(needsProxy)
    .flatMap(({ endpoints, name }) => [
      agentHost(name, domain),
      ...endpoints.map((endpoint) => endpointHost(name, endpoint.name, domain)),
    ])
  // Every hosts file has localhost already.
  return [...hosts, ...(domain === defaultDomain ? [] : [domain])].toSorted()
}
