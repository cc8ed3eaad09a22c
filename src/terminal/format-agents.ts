// Owns how agents are printed: the list, and the lines a run begins with.
import type { EndpointProblem } from '../pages/view.js'
import { isLive, needsProxy } from '../routing/agent.js'
import { describeEndBriefly } from '../routing/agent-end.js'
import { type AgentView, describeEndpoint, type EndpointView } from '../routing/agent-view.js'
import { formatAge } from '../routing/format-age.js'
import { indexUrl } from '../routing/urls.js'
import type { CurrentProxy } from '../supervisor/proxy.js'
import { type Cell, formatTable, widthOf, wrapWords } from './table.js'

/**
 * The table of `moat list`, with a column more when an agent has a branch. For a terminal of that many columns: with URLs where
 * they fit, and never wider than it is where that can be helped.
 */
export function formatAgents(agents: readonly AgentView[], now: number = Date.now(), columns?: number): string {
  const branches = agents.some(({ branch, clone }) => branch !== undefined || clone)
  const table = (left: (agent: AgentView) => Cell[], head: string[]) => (endpoints: EndpointCells) => {
    const rows = agents.map((agent) => [
      ...left(agent),
      endpoints(agent.endpoints),
      ...(branches ? [branchOf(agent)] : []),
    ])
    return formatTable([[...head, 'ENDPOINTS', ...(branches ? ['BRANCH'] : [])], ...rows])
  }
  const whole = table(
    (agent) => [agent.name, agent.runId, stateOf(agent, now), formatAge(agent.createdAt, now)],
    ['NAME', 'RUN ID', 'STATE', 'AGE'],
  )
  const narrow = table((agent) => [agent.name, stateOf(agent, now)], ['NAME', 'STATE'])
  return fitting(columns, whole, narrow)
}

function branchOf({ branch = '', clone }: AgentView): string {
  return clone ? `${branch} (clone)`.trim() : branch
}

function stateOf({ end, state }: AgentView, now: number): string {
  return end ? `${state} ${describeEndBriefly(end, now)}` : state
}

/** How the endpoints of an agent are written into one cell. */
export type EndpointCells = (endpoints: readonly EndpointView[]) => Cell

/** The table with URLs, if that fits; else with the endpoints on as many lines as they need; else the narrow one. */
export function fitting(
  columns: number | undefined,
  whole: (endpoints: EndpointCells) => string,
  narrow: (endpoints: EndpointCells) => string = whole,
): string {
  const inOneLine: EndpointCells = (endpoints) => endpoints.map(describeEndpoint).join(', ')
  if (columns === undefined) return whole(inOneLine)
  const withUrls = whole(urlLines)
  if (widthOf(withUrls) <= columns) return withUrls
  for (const table of [whole, narrow]) {
    const rest = widthOf(table(() => '')) - 'ENDPOINTS'.length
    const wrapped = table((endpoints) =>
      wrapWords(endpoints.map(describeEndpoint), Math.max('ENDPOINTS'.length, columns - rest), ', '),
    )
    if (widthOf(wrapped) <= columns || table === narrow) return wrapped
  }
  return withUrls
}

function urlLines(endpoints: readonly EndpointView[]): string[] {
  const names = endpoints.map(describeEndpoint)
  const width = Math.max(0, ...names.map(({ length }) => length))
  return endpoints.map(({ url }, index) => `${(names[index] ?? '').padEnd(width)}  ${url}`)
}

/** What is wrong with endpoints, a line for each. */
export function describeProblems(problems: readonly EndpointProblem[]): string[] {
  return problems.map(({ agent, detail, endpoint, hint }) => {
    return `${agent}, ${endpoint}: ${detail} ${/^moat /.test(hint) ? `See: ${hint}` : hint}`
  })
}

/** What runs beside agents, a line for each that has something. */
export function describeServices(agents: readonly Pick<AgentView, 'name' | 'services' | 'state'>[]): string[] {
  // They are gone with it.
  return agents.filter(isLive).flatMap(({ name, services = [] }) => {
    const listed = services.map((service) => `${service.name}:${service.port} (${service.image})`).join(', ')
    return listed === '' ? [] : [`Services of ${name}: ${listed}`]
  })
}

/** One line an endpoint: `https://web.dark-mode.localhost:8080  → dark-mode container:3000`. */
export function formatEndpoints(agent: AgentView): string[] {
  const width = Math.max(0, ...agent.endpoints.map(({ url }) => url.length))
  return agent.endpoints.map(
    ({ port, type, url }) => `${url.padEnd(width)}  → ${agent.name} ${port === undefined ? type : `container:${port}`}`,
  )
}

/** Where all agents are seen; without the proxy, that and why nothing answers at any of their URLs. */
export function describeIndex({ address, runs }: CurrentProxy, agents: readonly AgentView[]): string {
  if (runs) return `All agents: ${indexUrl(address)}`
  const some = agents.some((agent) => needsProxy(agent)) ? ', so nothing answers at the URLs of these agents' : ''
  return `The routing proxy is not running${some}. Start it with: moat proxy start`
}
