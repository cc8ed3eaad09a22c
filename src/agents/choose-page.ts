// Owns which URL a person means who wants to see an agent.

import { exitCodes, MoatError } from '../errors.js'
import { type Agent, isLive } from '../routing/agent.js'
import { portNamed } from '../routing/declared-ports.js'
import { nearestName } from '../routing/nearest-name.js'
import { defaultEndpoint } from '../routing/route-table.js'
import { agentUrl, indexUrl, type ProxyAddress, urlOf } from '../routing/urls.js'
import { chooseAgent } from './choose-agent.js'
import { notRunning } from './find-agent.js'

export interface PageRequest {
  /** A name, a run id or the beginning of one. */
  agent?: string | undefined
  /** True to see it on the dashboard. */
  dashboard: boolean
  /** Where the person is. */
  directory: string
  endpoint?: string | undefined
}

export interface ChosenPage {
  agent?: string
  endpoint?: string
  url: string
}

/**
 * The endpoint that is named, else the one that stands for its agent, else the page of the agent. With no agent named:
 * that of this directory, or the only one that runs; with several, the index of all.
 */
export async function choosePage(
  agents: readonly Agent[],
  { agent: reference, dashboard, directory, endpoint }: PageRequest,
  address: ProxyAddress,
): Promise<ChosenPage> {
  if (dashboard && reference === undefined) return { url: indexUrl(address) }
  const live = agents.filter(isLive)
  const agent = await chosenAgent(agents, live, reference, directory)
  if (!agent) return { url: indexUrl(address) }
  if (!isLive(agent)) throw notRunning(agent)
  const { name } = agent
  if (dashboard) return { agent: name, url: `${indexUrl(address)}/agents/${name}` }
  const wanted = endpoint ?? defaultEndpoint(agent) ?? onlyEndpoint(agent)
  if (wanted === undefined) return { agent: name, url: agentUrl(name, address) }
  const found = agent.endpoints.find((one) => one.name === wanted)
  if (!found) throw noEndpoint(agent, wanted)
  return { agent: name, endpoint: wanted, url: urlOf(name, found, address) }
}

/** Undefined when several run and none is named. */
async function chosenAgent(
  agents: readonly Agent[],
  live: readonly Agent[],
  reference: string | undefined,
  directory: string,
): Promise<Agent | undefined> {
  if (reference !== undefined) return chooseAgent(agents, reference, directory)
  try {
    return await chooseAgent(live, undefined, directory)
  } catch (error) {
    if (error instanceof MoatError && error.code === 'AGENT_NOT_FOUND' && live.length > 0) return undefined
    throw error
  }
}

/** What happens to listen is meant only where nothing is declared. */
function onlyEndpoint({ endpoints }: Agent): string | undefined {
  const declared = endpoints.filter(({ discovered }) => !discovered)
  const [only, ...others] = declared.length > 0 ? declared : endpoints
  return others.length === 0 ? only?.name : undefined
}

function noEndpoint(agent: Agent, name: string): MoatError {
  if (agent.discover && portNamed(name) !== undefined) {
    return new MoatError('AGENT_NOT_FOUND', `Nothing listens on port ${name} in ${agent.name} now.`, {
      exit: exitCodes.usage,
      suggestions: [`moat wait ${agent.name} ${name}`, 'moat list'],
    })
  }
  const names = agent.endpoints.map((endpoint) => endpoint.name)
  const nearest = nearestName(name, names)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  return new MoatError('AGENT_NOT_FOUND', `${agent.name} has no endpoint ${name}.${hint}`, {
    exit: exitCodes.usage,
    suggestions: names.map((one) => `moat open ${agent.name} ${one}`),
  })
}
