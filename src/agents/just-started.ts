// Owns what an agent is at the moment of its start, before the engine has been asked for a list. Pure.
import { isOpen } from '../egress/effective-policy.js'
import { formatGrant } from '../grants/injection.js'
import type { Agent } from '../routing/agent.js'
import type { AgentPlan } from './plan-agent.js'

export interface StartFacts {
  containerId: string
  discovers: boolean
  keep: boolean
  runId: string
}

export function justStarted(plan: AgentPlan, { containerId, discovers, keep, runId }: StartFacts): Agent {
  return {
    ...plan.git,
    containerId,
    createdAt: new Date().toISOString(),
    ...(discovers && { discover: true }),
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
