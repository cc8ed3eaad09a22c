// Owns what is told of an endpoint whose host the project's development server refuses.
import { type HostHint, hostHint } from '../../projects/host-hint.js'
import type { Endpoint } from '../../routing/agent.js'
import type { AgentView } from '../../routing/agent-view.js'
import { defaultEndpoint } from '../../routing/route-table.js'
import { agentHost, agentUrl, endpointHost, type ProxyAddress } from '../../routing/urls.js'
import type { RegisteredEndpoints } from './register-endpoints.js'

interface PlannedHosts extends Pick<RegisteredEndpoints, 'routes'> {
  command: string[] | undefined
  domain: string
  name: string
  workspace: string
}

export async function findRefusedHost(planned: PlannedHosts): Promise<HostHint | undefined> {
  const { command = [], domain, name, routes, workspace } = planned
  const bare = defaultEndpoint({ routes })
  const endpoints = routes.flatMap(({ endpoint, upstream }) => {
    const host = endpointHost(name, endpoint, domain)
    return upstream ? [{ bare: bare === endpoint, host, name: endpoint, port: upstream.port }] : []
  })
  return hostHint({ agent: agentHost(name, domain), command, endpoints, workspace })
}

/** The endpoints, with what is to be shown of the refused one wherever it is shown. */
export function withHint(endpoints: Endpoint[], hint: HostHint | undefined): Endpoint[] {
  return endpoints.map((endpoint) => {
    if (endpoint.name !== hint?.endpoint) return endpoint
    return { ...endpoint, columns: { ...endpoint.columns, [hint.title]: `needs ${hint.line} in ${hint.config} here` } }
  })
}

export function describeRefusedHost(hint: HostHint, agent: AgentView, address: ProxyAddress): string {
  const { config, endpoint, line, takesAgent, title } = hint
  const url = agent.endpoints.find(({ name }) => name === endpoint)?.url
  const change = `add to ${config}: ${line}`
  if (takesAgent) return `${title} takes ${agentUrl(agent.name, address)} as it is; for ${url} ${change}`
  return `${title} refuses requests at ${url}: ${change}`
}
