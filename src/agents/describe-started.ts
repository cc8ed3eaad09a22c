// Owns an agent as it has just been started: what the engine would say of it if it were asked.
import { isOpen } from '../egress/effective-policy.js'
import { formatGrant } from '../grants/injection.js'
import type { Agent } from '../routing/agent.js'
import type { Forwarder } from './container/forwarder.js'
import type { AgentPlan } from './plan/plan-agent.js'

/** What is told of services: nothing for none. */
export function serviceLabel({ services }: Pick<AgentPlan, 'services'>): Pick<Agent, 'services'> {
  return services.length > 0 ? { services: services.map(({ image, name, port }) => ({ image, name, port })) } : {}
}

interface Started {
  containerId: string
  image: string
  forwarder: Forwarder | undefined
  keep: boolean
  runId: string
}

export function describeStarted(plan: AgentPlan, { containerId, forwarder, image, keep, runId }: Started): Agent {
  return {
    ...plan.git,
    ...(plan.clone && { clone: image }),
    containerId,
    createdAt: new Date().toISOString(),
    ...(forwarder?.labels.discover && { discover: true }),
    endpoints: plan.endpoints,
    ...(plan.grants.length > 0 && { grants: plan.grants.map(formatGrant) }),
    keep,
    name: plan.name,
    ...(!isOpen(plan.network) && { network: plan.network }),
    published: {},
    routes: plan.routes,
    runId,
    ...serviceLabel(plan),
    state: 'running',
    workspace: plan.workspace,
  }
}
