// Owns how agents are printed: the list, and the lines a run begins with.

import { needsProxy } from '../routing/agent.js'
import { describeEndBriefly } from '../routing/agent-end.js'
import { type AgentView, describeEndpoints } from '../routing/agent-view.js'
import { formatAge } from '../routing/format-age.js'
import { indexUrl } from '../routing/urls.js'
import type { CurrentProxy } from '../supervisor/proxy.js'
import { formatTable } from './table.js'

/** The table of `moat list`, with a column more when an agent has a branch. */
export function formatAgents(agents: readonly AgentView[], now: number = Date.now()): string {
  const branches = agents.some(({ branch }) => branch !== undefined)
  const rows = agents.map((agent) => [
    agent.name,
    agent.runId,
    agent.end ? `${agent.state} ${describeEndBriefly(agent.end, now)}` : agent.state,
    formatAge(agent.createdAt, now),
    describeEndpoints(agent.endpoints),
    ...(branches ? [agent.branch ?? ''] : []),
  ])
  return formatTable([['NAME', 'RUN ID', 'STATE', 'AGE', 'ENDPOINTS', ...(branches ? ['BRANCH'] : [])], ...rows])
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
