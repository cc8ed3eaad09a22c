// Owns what the index shows, as data: what browsers get as a page and others as JSON. docs/reference/index.schema.json
// describes it. Fields may be added, never removed or renamed.
import type { HostUse } from '../egress/network-use.js'
import type { PolicyMode } from '../egress/policy.js'
import { type Agent, hasEnded, isLive } from '../routing/agent.js'
import { type AgentView, type EndpointView, viewAgent } from '../routing/agent-view.js'
import { undeclaredPorts } from '../routing/declared-ports.js'
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
  /** The container does not run. */
  | 'stopped'
  /** The container cannot be looked into. */
  | 'unknown'

/** What went through the proxy for one endpoint. */
export interface EndpointCounters {
  /** Share of requests answered with a status of 500 or more, from 0 to 1, over the last five minutes. */
  errorRate: number
  /** Since the proxy began to count. */
  errors: number
  /** Requests in each of the last thirty slots of ten seconds, oldest first. */
  history: number[]
  /** Milliseconds until the answer began, over the last five minutes; null without requests. An estimate. */
  p50: number | null
  p95: number | null
  /** Over the last minute. */
  perSecond: number
  /** Since the proxy began to count. */
  requests: number
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
    const port = servedPort(agent, endpoint.name)
    const explained =
      health === 'not_listening' && reach && port !== undefined && explainReach(endpoint.name, port, reach)
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
