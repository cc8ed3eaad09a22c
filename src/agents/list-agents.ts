// Owns the list of agents, read from the engine and nowhere else.
import type { MoatPaths } from '../config/paths.js'
import { withDiscovered } from '../doors/with-discovered.js'
import type { Engine } from '../engine/engine.js'
import { withAlarms } from '../guard/alarms.js'
import { type Agent, canHaveEndpoints, isLive } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import { agentHost, defaultDomain, endpointHost, type ProxyAddress } from '../routing/urls.js'
import { findUndeclared } from './find-undeclared.js'

type Paths = Pick<MoatPaths, 'agents'>

/** All agents of this user, oldest first, with the endpoints that they have now. */
export async function currentAgents(engine: Pick<Engine, 'listAgents'>, paths: Paths): Promise<Agent[]> {
  const { agents } = await engine.listAgents()
  return withDiscovered(agents, { paths })
}

/** As they are printed. With an engine, it is also looked what else listens in their containers. */
export async function viewAgents(
  agents: readonly Agent[],
  { address, engine, home }: { address: ProxyAddress; engine?: Engine | undefined; home: string },
): Promise<AgentView[]> {
  const undeclared = engine ? await findUndeclared(engine, agents) : new Map<string, number[]>()
  const views = agents.map((agent) => {
    const ports = undeclared.get(agent.runId)
    return { ...viewAgent(agent, address), ...(ports && { undeclared: ports }) }
  })
  return withAlarms(views, home)
}

/** The host names of all running agents, sorted; with a domain of the user's, that of the index too. */
export async function listHosts(engine: Engine, paths: Paths, domain: string): Promise<string[]> {
  const agents = await currentAgents(engine, paths)
  const hosts = agents
    .filter((agent) => canHaveEndpoints(agent) && isLive(agent))
    .flatMap(({ endpoints, name }) => [
      agentHost(name, domain),
      ...endpoints.map((endpoint) => endpointHost(name, endpoint.name, domain)),
    ])
  // Every hosts file has localhost already.
  return [...hosts, ...(domain === defaultDomain ? [] : [domain])].toSorted()
}
