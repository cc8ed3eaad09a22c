// Owns how the proxy's status is printed.
import { displayPath } from '../config/paths.js'
import { type AgentView, describeEndpoints } from '../routing/agent-view.js'
import { defaultDomain } from '../routing/urls.js'
import type { ProxyStatus } from '../supervisor/proxy.js'

/** The text of `moat proxy status`. */
export function formatProxyStatus(status: ProxyStatus): string {
  const agents = agentLines(status.agents)
  const unserved = agentLines(status.unserved ?? [])
  return [
    'Routing Proxy',
    '=============',
    `Status: ${status.status}`,
    `Port: ${status.port}`,
    ...(status.domain === defaultDomain ? [] : [`Domain: ${status.domain}`]),
    `CA: ${displayPath(status.ca)}`,
    ...(status.problem === undefined ? [] : [`Problem: ${status.problem}`]),
    '',
    'Registered Agents:',
    ...(agents.length > 0 ? agents : ['  none']),
    ...(unserved.length > 0 ? ['', 'Without URLs until moat proxy start:', ...unserved] : []),
  ].join('\n')
}

/** What the Caddy that runs cannot do, and how to get one that can. */
export function describeMissing({ caddy }: Pick<ProxyStatus, 'caddy'>): string | undefined {
  if (caddy?.layer4 !== false) return undefined
  return `Caddy ${caddy.version} has no layer4 module: http:// is redirected to https://, and databases have no names. Get one: moat setup`
}

function agentLines(agents: readonly AgentView[]): string[] {
  const width = Math.max(0, ...agents.map(({ name }) => name.length))
  return agents.map(({ endpoints, name }) => `  ${name.padEnd(width)}   ${describeEndpoints(endpoints)}`)
}

/** Where the agents are reached, to be printed below it. */
export function formatProxyUrls({ agents, status }: Pick<ProxyStatus, 'agents' | 'status'>): string[] {
  const urls = agents.flatMap(({ endpoints }) => endpoints.map(({ url }) => `  ${url}`))
  return status === 'running' && urls.length > 0 ? ['', 'URLs:', ...urls] : []
}
