// Owns an agent as it has just been started: what the engine would say of it if it were asked.
import { isOpen } from '../egress/effective-policy.js'
import { formatGrant } from '../grants/injection.js'
import type { Agent } from '../routing/agent.js'
import type { Forwarder } from './forwarder.js'
import type { AgentPlan } from './plan-agent.js'

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
    state: 'running',
    workspace: plan.workspace,
  }
}
