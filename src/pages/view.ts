// Owns what the index shows, as data: what browsers get as a page and others as JSON. docs/reference/index.schema.json
// describes it. Fields may be added, never removed or renamed.
import type { HostUse } from '../egress/network-use.js'
import type { PolicyMode } from '../egress/policy.js'
import { type Agent, hasEnded, isLive } from '../routing/agent.js'
import { type AgentView, type EndpointView, viewAgent } from '../routing/agent-view.js'
import { undeclaredPorts } from '../routing/declared-ports.js'
import { type Expected, explainGreeting, type Greeting } from '../routing/greeting.js'
import { type Listener, type Reach, reachOf } from '../routing/listening.js'
import { defaultEndpoint } from '../routing/route-table.js'
import { agentHost, agentUrl, endpointHost, indexUrl, type ProxyAddress } from '../routing/urls.js'

/** How long a container may have run with nothing listening before that is called a fault. Milliseconds. */
export const startTime = 30_000

export type Health =
  /** Something listens where the proxy reaches it, or the endpoint needs no server. */
  | 'answering'
  /** Nothing listens yet, and the container has only just started. */
  | 'starting'
  | 'not_listening'
  /** Something listens there, and speaks something else than the endpoint says, or nothing. */
  | 'not_answering'
  /** The container does not run. */
  | 'stopped'
  /** The container cannot be looked into. */
  | 'unknown'

/** What went through the proxy for one endpoint. */
export interface EndpointCounters {
  /** Share of requests answered with a status of 500 or more, from 0 to 1, over the last five minutes. */
  errorRate: number
  /** Since the proxy began to count, of this run. */
  errors: number
  /** Requests answered with a status of 500 or more, over the last five minutes. */
  failed: number
  /** Of `history`, those answered with a status of 500 or more. */
  failures: number[]
  /** Requests in each of the last thirty slots of ten seconds, oldest first. */
  history: number[]
  /** Milliseconds within which 95 % of the answers of each slot began; null without requests. Estimates. */
  latencies: (number | null)[]
  /** Milliseconds until the answer began, over the last five minutes; null without requests. An estimate. */
  p50: number | null
  p95: number | null
  /** Over the last minute. */
  perSecond: number
  /** Since the proxy began to count, of this run. */
  requests: number
  /** Answers that took longer than a second to begin, over the last five minutes. */
  slow: number
}

export interface IndexEndpoint extends EndpointView {
  counters: EndpointCounters
  health: Health
  /** What is wrong and what to do about it; absent when nothing is. */
  hint?: string
  problem?: string
}

export interface IndexAgent extends AgentView {
  /** The agent's own address, below which its endpoints are. */
  baseUrl: string
  endpoints: IndexEndpoint[]
  /** Of an agent under a network policy. */
  network?: { hosts: HostUse[]; policy: PolicyMode }
}

export type { HostUse }

export interface IndexView {
  agents: IndexAgent[]
  /** Where this index is. */
  url: string
}

/** What was seen in an agent's container; undefined when it could not be looked into. */
export interface Look {
  /** What servers said when they were greeted, by endpoint. */
  greetings?: Record<string, Greeting>
  listeners: Listener[]
  /** Milliseconds. */
  startedAt: number
}

export interface ViewSources {
  address: ProxyAddress
  countersOf: (hosts: readonly string[]) => EndpointCounters
  lookOf: (agent: Agent) => Look | undefined
  /** What a run has asked for of the world; the last first. */
  networkOf: (runId: string) => HostUse[]
  /** Milliseconds. */
  now: number
}

export function viewIndex(agents: readonly Agent[], sources: ViewSources): IndexView {
  return { agents: agents.map((agent) => indexAgent(agent, sources)), url: indexUrl(sources.address) }
}

function indexAgent(agent: Agent, sources: ViewSources): IndexAgent {
  const view = viewAgent(agent, sources.address)
  const look = sources.lookOf(agent)
  const endpoints = view.endpoints.map((endpoint): IndexEndpoint => {
    const { health, reach } = healthOf(agent, endpoint.name, look, sources.now)
    const explained = explainHealth(agent, endpoint.name, { health, look, reach })
    return {
      ...endpoint,
      counters: sources.countersOf(hostsOfEndpoint(agent, endpoint.name, sources.address)),
      health,
      ...(explained && { hint: explained.hint, problem: explained.detail }),
    }
  })
  const undeclared = isLive(agent) && look ? undeclaredPorts(agent, look.listeners) : []
  return {
    ...view,
    baseUrl: agentUrl(agent.name, sources.address),
    endpoints,
    ...(agent.network && { network: { hosts: sources.networkOf(agent.runId), policy: agent.network.policy } }),
    ...(undeclared.length > 0 && { undeclared }),
  }
}

/** An endpoint that does not answer though its agent runs. */
export interface EndpointProblem {
  agent: string
  detail: string
  endpoint: string
  health: Health
  hint: string
  runId: string
}

export function endpointProblems(agent: Agent, look: Look | undefined, now: number): EndpointProblem[] {
  return agent.endpoints.flatMap(({ name }) => {
    const { health, reach } = healthOf(agent, name, look, now)
    const explained = explainHealth(agent, name, { health, look, reach })
    return explained ? [{ agent: agent.name, ...explained, endpoint: name, health, runId: agent.runId }] : []
  })
}

/** The same where agents are listed: only on endpoints that have a problem. */
export function withProblems<T extends AgentView>(agent: T, problems: readonly EndpointProblem[]): T {
  const endpoints = agent.endpoints.map((endpoint) => {
    const found = problems.find(({ endpoint: name, runId }) => runId === agent.runId && name === endpoint.name)
    return found ? { ...endpoint, health: found.health, hint: found.hint, problem: found.detail } : endpoint
  })
  return { ...agent, endpoints }
}

/** The bare host counts for the endpoint that answers there. */
function hostsOfEndpoint(agent: Agent, endpoint: string, { domain }: ProxyAddress): string[] {
  const bare = defaultEndpoint(agent) === endpoint ? [agentHost(agent.name, domain)] : []
  return [endpointHost(agent.name, endpoint, domain), ...bare]
}

/** The container port on which the endpoint's server is expected; undefined for an endpoint without a server. */
export function servedPort(agent: Pick<Agent, 'endpoints' | 'routes'>, name: string): number | undefined {
  const upstream = agent.routes.find(({ endpoint }) => endpoint === name)?.upstream
  if (upstream) return upstream.port
  const readiness = agent.endpoints.find((endpoint) => endpoint.name === name)?.readiness
  return readiness?.kind === 'tcp' ? readiness.port : undefined
}

/** What the endpoint's server is expected to speak; undefined where it answers no HTTP. */
export function expectedOf(agent: Pick<Agent, 'routes'>, name: string): Expected | undefined {
  return agent.routes.find(({ endpoint }) => endpoint === name)?.upstream?.protocol
}

/** What is wrong with an endpoint that does not answer, and what to do; undefined where that is not known. */
export function explainHealth(
  agent: Agent,
  name: string,
  { health, look, reach }: { health: Health; look: Look | undefined; reach: Reach | undefined },
): { detail: string; hint: string } | undefined {
  const port = servedPort(agent, name)
  if (port === undefined) return undefined
  const greeting = look?.greetings?.[name]
  if (health === 'not_answering' && greeting && greeting.kind !== 'proper')
    return explainGreeting(agent.name, name, port, greeting)
  return health === 'not_listening' && reach ? explainReach(name, port, reach) : undefined
}

export function healthOf(
  agent: Agent,
  endpoint: string,
  look: Look | undefined,
  now: number,
): { health: Health; reach?: Reach } {
  if (!isLive(agent)) return { health: hasEnded(agent) ? 'stopped' : 'starting' }
  const port = servedPort(agent, endpoint)
  if (port === undefined) return { health: 'answering' }
  if (!look) return { health: 'unknown' }
  const others = agent.endpoints.filter(({ discovered }) => !discovered)
  const declared = others.flatMap(({ name }) => servedPort(agent, name) ?? [])
  const reach = reachOf(look.listeners, port, declared)
  const greeting = look.greetings?.[endpoint]
  if (reach.kind === 'answering' && greeting && greeting.kind !== 'proper') return { health: 'not_answering', reach }
  if (reach.kind === 'answering') return { health: 'answering', reach }
  const isNew = reach.kind === 'nothing' && now - look.startedAt < startTime
  return { health: isNew ? 'starting' : 'not_listening', reach }
}

/** What to tell about a port that is not reached. */
export function explainReach(endpoint: string, port: number, reach: Reach): { detail: string; hint: string } {
  switch (reach.kind) {
    case 'loopback':
      return {
        detail: `The server on port ${port} listens on 127.0.0.1 or ::1 only, which nobody outside its container reaches.`,
        hint: 'Have it listen on all addresses: HOST=0.0.0.0, or --host 0.0.0.0.',
      }
    case 'elsewhere': {
      const [nearest = 0, ...others] = reach.ports
      const more = others.length > 0 ? ` (and on ${others.join(', ')})` : ''
      return {
        detail: `Nothing listens on port ${port}; something listens on ${nearest}${more}.`,
        hint: `If that is it, set \`${endpoint}: ${nearest}\` under \`ports\` in moat.yaml, or have the server listen on ${port}.`,
      }
    }
    default:
      return {
        detail: `Nothing listens on port ${port} in the container.`,
        hint: `Start a server on port ${port}, or correct \`ports\` in moat.yaml.`,
      }
  }
}
