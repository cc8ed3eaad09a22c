// Owns waiting until an endpoint answers: what scripts do instead of sleeping.
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import { type Agent, type Endpoint, isLive } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { discoveredEndpoint, portNamed } from '../routing/declared-ports.js'
import { nearestName } from '../routing/nearest-name.js'
import { type ProxyAddress, urlOf } from '../routing/urls.js'
import { probeOf } from './endpoint-probe.js'
import { findAgent, notRunning } from './find-agent.js'

/** Between two questions. Milliseconds. */
const interval = 100

export interface WaitOptions {
  address: ProxyAddress
  certificateFile: string
  /** The first endpoint in moat.yaml if left out. */
  endpoint?: string
  /** Called once it is clear what is waited for, if the first question has no answer. */
  onWait: (url: string) => void
  /** Where the proxy keeps its links to agents' sockets. */
  proxyDirectory: string
  /** False when the proxy is stopped: then nothing comes to answer at a URL of its. */
  proxyRuns: () => Promise<boolean>
  /** Milliseconds. */
  timeout: number
}

export interface AnsweredEndpoint {
  agent: string
  endpoint: string
  /** HTTP status of the answer; absent for an endpoint that speaks something else. */
  status?: number
  url: string
  /** Milliseconds waited. */
  waited: number
}

/**
 * Resolves when the endpoint answers, whatever it answers. Rejects with AGENT_NOT_FOUND or AGENT_NOT_RUNNING (exit code
 * 10), SUPERVISOR_FAILED (1) when the proxy it is reached through is stopped, AGENT_ENDED (11) when the agent ends meanwhile, WAIT_TIMED_OUT (12).
 */
export async function waitForEndpoint(
  engine: Engine,
  reference: string,
  options: WaitOptions,
): Promise<AnsweredEndpoint> {
  const agent = await runningAgent(engine, reference)
  const endpoint = chooseEndpoint(agent, options.endpoint)
  const url = urlOf(agent.name, endpoint, options.address)
  const probe = await probeOf(agent, endpoint, options)
  const start = performance.now()
  const end = start + options.timeout
  let told = false
  let refused: string | undefined
  while (performance.now() < end) {
    const answer = await probe(end - performance.now())
    if (!('refused' in answer)) {
      const waited = Math.round(performance.now() - start)
      return { agent: agent.name, endpoint: endpoint.name, ...answer, url, waited }
    }
    refused = answer.refused ?? refused
    await assertRunning(engine, agent)
    if (goesThroughProxy(agent, endpoint)) await assertServed(url, options)
    if (!told) options.onWait(url)
    told = true
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
  throw new MoatError('WAIT_TIMED_OUT', timedOut(url, options.timeout, refused), {
    exit: exitCodes.timedOut,
    suggestions: [`moat logs ${agent.name}`],
  })
}

function timedOut(url: string, timeout: number, refused: string | undefined): string {
  const why = refused === undefined ? '.' : `: ${refused}`
  return `${url} did not answer within ${timeout / 1000} s${why}`
}

/** What is waited for: the first endpoint of each agent, or one endpoint of one. */
export interface WaitTarget {
  agent: string
  endpoint?: string
}

/**
 * What the words after `moat wait` are: an agent and maybe its endpoint, or several agents. A second word that could be either
 * is the endpoint.
 */
export async function waitTargets(engine: Engine, words: readonly string[]): Promise<WaitTarget[]> {
  const [first = '', second, ...more] = words
  if (second === undefined) return [{ agent: first }]
  const { agents } = await engine.listAgents()
  const names = (reference: string) => agents.some(({ name, runId }) => [name, runId].includes(reference))
  const owner = agents.find(({ name, runId }) => [name, runId].includes(first))
  const isEndpoint = owner?.endpoints.some(({ name }) => name === second)
  if (more.length === 0 && (isEndpoint || !names(second))) return [{ agent: first, endpoint: second }]
  return words.map((agent) => ({ agent }))
}

async function runningAgent(engine: Engine, reference: string): Promise<Agent> {
  const { agents } = await engine.listAgents()
  let agent: Agent
  try {
    agent = findAgent(agents, reference)
  } catch (error) {
    if (error instanceof MoatError) error.oclif.exit = exitCodes.notRunning
    throw error
  }
  if (isLive(agent)) return agent
  throw notRunning(agent, exitCodes.notRunning)
}

function chooseEndpoint(agent: Agent, name: string | undefined): Endpoint {
  const port = agent.discover && name !== undefined ? portNamed(name) : undefined
  const names = agent.endpoints.map((endpoint) => endpoint.name)
  const chosen = agent.endpoints.find((endpoint) => name === undefined || endpoint.name === name)
  if (chosen) return chosen
  // It is an endpoint as soon as something listens there.
  if (port !== undefined) return discoveredEndpoint(port)
  const nearest = name === undefined ? undefined : nearestName(name, names)
  const hint = nearest ? ` Did you mean ${nearest}?` : ''
  const message =
    name === undefined ? `${agent.name} has no endpoints.` : `${agent.name} has no endpoint ${name}.${hint}`
  throw new MoatError('AGENT_NOT_FOUND', message, { exit: exitCodes.usage, suggestions: ['moat list'] })
}

async function assertRunning(engine: Engine, { name, runId }: Agent): Promise<void> {
  const { agents } = await engine.listAgents()
  const now = agents.find((agent) => agent.runId === runId)
  if (now && isLive(now)) return
  throw new MoatError(
    'AGENT_ENDED',
    `${name} ended before it answered${now?.end ? `, ${describeEnd(now.end)}` : ''}.`,
    {
      exit: exitCodes.crashed,
      suggestions: now ? [`moat logs ${runId}`] : [`moat run --name ${name}`],
    },
  )
}

function goesThroughProxy({ wayIn }: Agent, { readiness }: Endpoint): boolean {
  // What is asked without Caddy is linked by the supervisor.
  return readiness?.kind !== 'tcp' || wayIn === 'sockets'
}

async function assertServed(url: string, { proxyRuns }: WaitOptions): Promise<void> {
  if (await proxyRuns()) return
  throw new MoatError('SUPERVISOR_FAILED', `The routing proxy is not running, so nothing answers at ${url}.`, {
    suggestions: ['moat proxy start'],
  })
}
