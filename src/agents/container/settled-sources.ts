// Owns that what is mounted is what was planned: another agent may write where a source lies, and put a link there.
import { realpath } from 'node:fs/promises'
import { contains } from '../../config/real-path.js'
import type { ContainerSpec } from '../../engine/engine.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { AgentPlan } from '../plan/plan-agent.js'

type Plan = Pick<AgentPlan, 'checkout' | 'clone' | 'mainCheckout' | 'mounts' | 'workspace'>

/** The paths that the engine is to follow to where they were looked at: all but what is moat's own. */
export function followedPaths(
  { checkout, clone, mainCheckout, mounts, workspace }: Plan,
  spec: Pick<ContainerSpec, 'mounts'>,
): string[] {
  const repository = (checkout ?? mainCheckout)?.commonDir
  const ofGit = spec.mounts
    .map(({ source }) => source)
    .filter((source) => repository !== undefined && contains(repository, source))
  return [...new Set([...(clone ? [] : [workspace]), ...mounts.map(({ source }) => source), ...ofGit])]
}

/** Rejects when one of them is no longer the real path that was looked at and allowed. */
export async function assertSettled(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const now = await realpath(path).catch(() => undefined)
    if (now === path) continue
    const change = now === undefined ? 'is gone' : `leads to ${now} now`
    throw new MoatError('FORBIDDEN', `${path} ${change}: it was changed while its agent started.`, {
      exit: exitCodes.usage,
      suggestions: ['moat list'],
    })
  }
}
