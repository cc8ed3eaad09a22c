// Owns the list of agents, read from the engine and nowhere else.
import type { Engine } from '../engine/engine.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'

/** All agents of this user, oldest first. */
export async function listAgents(engine: Engine, proxyPort: number): Promise<AgentView[]> {
  const { agents } = await engine.listAgents()
  return agents.map((agent) => viewAgent(agent, proxyPort))
}
