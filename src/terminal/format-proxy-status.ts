// Owns how the proxy's status is printed.
import { displayPath } from '../config/paths.js'
import { describeEndpoints } from '../routing/agent-view.js'
import { defaultDomain } from '../routing/urls.js'
import type { ProxyStatus } from '../supervisor/proxy.js'

/** The text of `moat proxy status`. */
export function formatProxyStatus(status: ProxyStatus): string {
  const width = Math.max(0, ...status.agents.map(({ name }) => name.length))
  const agents = status.agents.map(({ endpoints, name }) => `  ${name.padEnd(width)}   ${describeEndpoints(endpoints)}`)
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
  ].join('\n')
}

/** Where the agents are reached, to be printed below it. */
export function formatProxyUrls({ agents, status }: Pick<ProxyStatus, 'agents' | 'status'>): string[] {
  const urls = agents.flatMap(({ endpoints }) => endpoints.map(({ url }) => `  ${url}`))
  return status === 'running' && urls.length > 0 ? ['', 'URLs:', ...urls] : []
}
