// Owns what the proxy says when no agent answers a request: what is wrong, what to do, and what there is instead. Pure.
import { type Agent, hasEnded } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { portNamed, undeclaredPorts } from '../routing/declared-ports.js'
import { formatAge } from '../routing/format-age.js'
import { nearestName } from '../routing/nearest-name.js'
import { defaultEndpoint } from '../routing/route-table.js'
import { agentUrl, indexUrl, isWithin, type ProxyAddress, urlOf } from '../routing/urls.js'
import { explainUndeclared } from './undeclared.js'
import { explainHealth, explainReach, healthOf, type Look, servedPort } from './view.js'

/** The JSON form is this without `links`, `status`, `title` and `waits`; fields may be added, never removed. */
export interface Problem {
  /** Names, for programs. */
  agent?: string
  agents?: string[]
  detail: string
  endpoint?: string
  endpoints?: string[]
  error: string
  hint: string
  /** Places to go instead. */
  links: { title: string; url: string }[]
  nearest?: string
  /** Of ports on which something listens, and that have no URL. */
  note?: string
  status: number
  title: string
  undeclared?: number[]
  /** `soon`: it is expected to go away by itself. `once`: it may just have. `change`: when something is done about it. */
  waits: 'change' | 'once' | 'soon'
}

export interface ProblemSources {
  address: ProxyAddress
  agents: readonly Agent[]
  /** True when an endpoint was asked and did not answer; false when the proxy knew of nobody to ask. */
  asked: boolean
  look: Look | undefined
  /** Milliseconds. */
  now: number
}

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
  const { endpoint } = partsOf(host, domain)
  const agent = agentOfHost(host, sources.agents, domain)
  if (!agent) return unknownAgent(host, sources)
  if (hasEnded(agent)) return stoppedAgent(agent, sources)
  const name = endpoint ?? defaultEndpoint(agent) ?? agent.endpoints[0]?.name
  if (name === undefined || !agent.endpoints.some((one) => one.name === name))
    return agent.discover && name !== undefined && portNamed(name) !== undefined
      ? undiscovered(agent, name, sources)
      : unknownEndpoint(agent, name, sources)
  return unanswered(agent, name, sources)
}

function unknownAgent(host: string, { address, agents }: ProblemSources): Problem {
  const { agent } = partsOf(host, address.domain)
  const running = agents.filter((one) => !hasEnded(one))
  const names = running.map(({ name }) => name)
  const nearest = nearestName(agent, names)
  const some = names.length === 0 ? ' No agent runs.' : ''
  return {
    agent,
    agents: names,
    detail: `There is no agent ${agent}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}${some}`,
    error: 'unknown_agent',
    hint: names.length === 0 ? 'moat run <directory>' : 'moat list',
    links: running.map(({ name }) => ({ title: name, url: agentUrl(name, address) })),
    ...(nearest !== undefined && { nearest }),
    status: 404,
    title: `No agent ${agent}`,
    waits: 'change',
  }
}

function stoppedAgent({ end, name, runId, workspace }: Agent, { address, now }: ProblemSources): Problem {
  const how = end === undefined ? '' : ` (${describeEnd(end)}) ${formatAge(end.at, now)}`
  return {
    agent: name,
    detail: `The agent ${name} has ended${how}. Its workspace is ${workspace}.`,
    error: 'agent_stopped',
    hint: `moat logs ${runId}`,
    links: [{ title: 'All agents', url: indexUrl(address) }],
    status: 404,
    title: `${name} has ended`,
    waits: 'change',
  }
}

function unknownEndpoint(agent: Agent, name: string | undefined, { address, look }: ProblemSources): Problem {
  const names = agent.endpoints.map((one) => one.name)
  const nearest = name === undefined ? undefined : nearestName(name, names)
  const missing = name === undefined ? `${agent.name} has no endpoints.` : `${agent.name} has no endpoint ${name}.`
  return {
    agent: agent.name,
    detail: `${missing}${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
    ...(name !== undefined && { endpoint: name }),
    endpoints: names,
    error: 'unknown_endpoint',
    hint: 'Add it under `ports` in moat.yaml, or use one of the endpoints there are.',
    links: agent.endpoints.map((one) => ({ title: one.name, url: urlOf(agent.name, one, address) })),
    ...(nearest !== undefined && { nearest }),
    ...noteOf(agent, look),
    status: 404,
    title: name === undefined ? `${agent.name} has no endpoints` : `${agent.name} has no endpoint ${name}`,
    waits: 'change',
  }
}

/** A port of an agent that has a URL as soon as something listens there. */
function undiscovered(agent: Agent, name: string, { address }: ProblemSources): Problem {
  return {
    agent: agent.name,
    detail: `Nothing listens on port ${name} of ${agent.name} now.`,
    endpoint: name,
    endpoints: agent.endpoints.map((one) => one.name),
    error: 'not_listening',
    hint: `moat wait ${agent.name} ${name}`,
    links: agent.endpoints.map((one) => ({ title: one.name, url: urlOf(agent.name, one, address) })),
    status: 502,
    title: `Nothing listens on port ${name} of ${agent.name}`,
    waits: 'soon',
  }
}

function unanswered(agent: Agent, name: string, { address, asked, look, now }: ProblemSources): Problem {
  const context = {
    agent: agent.name,
    endpoint: name,
    links: [
      ...agent.endpoints
        .filter(({ discovered }) => discovered)
        .map((one) => ({ title: one.name, url: urlOf(agent.name, one, address) })),
      { title: 'All agents', url: indexUrl(address) },
    ],
  }
  const served = servedPort(agent, name)
  const { health, reach } = healthOf(agent, name, look, now)
  if (health === 'starting' || (health === 'answering' && !asked)) {
    const yet = served === undefined || health === 'answering' ? '' : `: nothing listens on port ${served} yet`
    return {
      ...context,
      detail: `The agent ${agent.name} is starting${yet}.`,
      error: 'starting',
      hint: `moat wait ${agent.name} ${name}`,
      status: 503,
      title: `${agent.name} is starting`,
      waits: 'soon',
    }
  }
  const misread = health === 'not_answering' && explainHealth(agent, name, { health, look, reach })
  if (misread) {
    return {
      ...context,
      ...misread,
      error: 'bad_gateway',
      status: 502,
      title: `${name} of ${agent.name} does not answer`,
      waits: 'soon',
    }
  }
  if (health === 'answering' || served === undefined || !reach) {
    const known = health === 'answering' && served !== undefined
    return {
      ...context,
      detail: known
        ? `Something listens on port ${served} in the container, but the proxy got no proper answer from it.`
        : `Nothing answers for ${name} of ${agent.name}.`,
      error: 'bad_gateway',
      hint: known
        ? `Is its protocol the one in moat.yaml (http, https or h2c)? moat logs ${agent.name}`
        : `moat logs ${agent.name}`,
      status: 502,
      title: `${name} of ${agent.name} does not answer`,
      waits: 'once',
    }
  }
  return {
    ...context,
    ...explainReach(name, served, reach),
    ...noteOf(agent, look, name),
    error: reach.kind === 'loopback' ? 'loopback_only' : reach.kind === 'elsewhere' ? 'other_port' : 'not_listening',
    status: 502,
    title: `${name} of ${agent.name} does not listen`,
    waits: 'soon',
  }
}

/** `instead` is the endpoint that is asked for and does not answer. */
function noteOf(agent: Agent, look: Look | undefined, instead?: string): Pick<Problem, 'note' | 'undeclared'> {
  const undeclared = look ? undeclaredPorts(agent, look.listeners) : []
  if (undeclared.length === 0) return {}
  return { note: explainUndeclared(agent, undeclared, instead), undeclared }
}
