// Owns which agents the gate serves, and what each of them may reach right now.
import type { MoatPaths } from '../config/paths.js'
import { effectivePolicy } from '../egress/effective-policy.js'
import { withoutRevoked } from '../egress/granted-rules.js'
import { readLiveRules } from '../egress/live-rules.js'
import type { NetworkPolicy } from '../egress/policy.js'
import { messageOf } from '../errors.js'
import { type Agent, hasEnded } from '../routing/agent.js'
import type { GatedAgent, GrantedHost } from './gate-table.js'

export interface GatedAgentsOptions {
  /** Another text whenever a grant is another; undefined for one that was revoked. */
  grantMark(grant: string): string | undefined
  log: (message: string) => void
  paths: Pick<MoatPaths, 'proxy'>
}

/** Those with a policy, from the moment that their containers are there: they may ask with their first instruction. */
export async function gatedAgents(agents: readonly Agent[], options: GatedAgentsOptions): Promise<GatedAgent[]> {
  const gated = agents.flatMap((agent) =>
    agent.network && !hasEnded(agent) ? [{ ...agent, network: agent.network }] : [],
  )
  return Promise.all(
    gated.map(async ({ name, network, runId }) => {
      const granted = grantedHosts(network, options)
      const policy = await policyOf(runId, network, options)
      return { ...(granted.length > 0 && { granted }), name, policy, runId }
    }),
  )
}

async function policyOf(
  runId: string,
  network: NetworkPolicy,
  { grantMark, log, paths }: GatedAgentsOptions,
): Promise<NetworkPolicy> {
  try {
    const now = withoutRevoked(network, (grant) => grantMark(grant) !== undefined)
    return effectivePolicy(now, await readLiveRules(paths, runId))
  } catch (error) {
    // Nobody knows what was denied: so everything is.
    log(messageOf(error))
    return { host: [], peers: [], policy: 'strict', rules: [] }
  }
}

function grantedHosts({ rules }: NetworkPolicy, { grantMark }: GatedAgentsOptions): GrantedHost[] {
  return rules.flatMap(({ effect, grant, host, port }) =>
    grant === undefined
      ? []
      : [{ effect, host, mark: `${grant} ${grantMark(grant) ?? ''}`, ...(port !== undefined && { port }) }],
  )
}
