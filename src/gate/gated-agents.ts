// Owns which agents the gate serves, and what each of them may reach right now.
import type { MoatPaths } from '../config/paths.js'
import { effectivePolicy } from '../egress/effective-policy.js'
import { readLiveRules } from '../egress/live-rules.js'
import type { NetworkPolicy } from '../egress/policy.js'
import { messageOf } from '../errors.js'
import { type Agent, hasEnded } from '../routing/agent.js'
import type { GatedAgent } from './gate-table.js'

export interface GatedAgentsOptions {
  log: (message: string) => void
  paths: Pick<MoatPaths, 'proxy'>
}

/** Those with a policy, from the moment that their containers are there: they may ask with their first instruction. */
export async function gatedAgents(agents: readonly Agent[], options: GatedAgentsOptions): Promise<GatedAgent[]> {
  const gated = agents.flatMap((agent) =>
    agent.network && !hasEnded(agent) ? [{ ...agent, network: agent.network }] : [],
  )
  return Promise.all(
    gated.map(async ({ name, network, runId }) => ({ name, policy: await policyOf(runId, network, options), runId })),
  )
}

async function policyOf(
  runId: string,
  network: NetworkPolicy,
  { log, paths }: GatedAgentsOptions,
): Promise<NetworkPolicy> {
  try {
    return effectivePolicy(network, await readLiveRules(paths, runId))
  } catch (error) {
    // Nobody knows what was denied: so everything is.
    log(messageOf(error))
    return { host: [], peers: [], policy: 'strict', rules: [] }
  }
}
