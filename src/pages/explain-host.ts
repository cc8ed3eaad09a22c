// Owns which of the things that can be wrong is wrong at a host at which no agent answers. Pure.
import { type Agent, hasEnded } from '../routing/agent.js'
import { portNamed } from '../routing/declared-ports.js'
import { answersHttp, defaultEndpoint } from '../routing/route-table.js'
import { isWithin } from '../routing/urls.js'
import type { Problem, ProblemSources } from './problem.js'
import { unanswered } from './unanswered.js'
import { noWebServer, stoppedAgent, undiscovered, unknownAgent, unknownEndpoint } from './unknown-host.js'

/** The agent and the endpoint a host below the domain stands for. */
export function partsOf(host: string, domain: string): { agent: string; endpoint?: string } {
  const name = host.toLowerCase()
  const labels = (isWithin(name, domain) ? name.slice(0, -domain.length - 1) : name).split('.')
  const agent = labels.pop() ?? ''
  return { agent, ...(labels.length > 0 && { endpoint: labels.join('.') }) }
}

/** The agent a host belongs to, running or not; the running one when there are several of the name. */
export function agentOfHost(host: string, agents: readonly Agent[], domain: string): Agent | undefined {
  const { agent } = partsOf(host, domain)
  const named = agents.filter(({ name }) => name === agent)
  return named.find((one) => !hasEnded(one)) ?? named.at(-1)
}

/** What is wrong at a host at which nobody answers. */
export function explainHost(host: string, sources: ProblemSources): Problem {
  const { domain } = sources.address
  const { agent: agentName, endpoint } = partsOf(host, domain)
  const agent = agentOfHost(host, sources.agents, domain)
  if (!agent) return unknownAgent(agentName, sources)
  if (hasEnded(agent)) return stoppedAgent(agent, sources)
  const name = endpoint ?? defaultEndpoint(agent) ?? agent.endpoints[0]?.name
  if (name === undefined || !agent.endpoints.some((one) => one.name === name))
    return agent.discover && name !== undefined && portNamed(name) !== undefined
      ? undiscovered(agent, name, sources)
      : unknownEndpoint(agent, name, sources)
  const { url } = agent.endpoints.find((one) => one.name === name) ?? {}
  if (url !== undefined && !agent.routes.some((one) => one.endpoint === name && answersHttp(one)))
    return noWebServer(agent, name, url)
  return unanswered(agent, name, sources)
}
