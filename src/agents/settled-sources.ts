// Owns that what is mounted is what was planned: another agent may write where a source lies, and put a link there.
import { realpath } from 'node:fs/promises'
import { exitCodes, MoatError } from '../errors.js'
import type { AgentPlan } from './plan-agent.js'

/** Rejects when the workspace or the source of a mount is no longer the real path that was looked at and allowed. */
export async function assertSettled({ mounts, workspace }: Pick<AgentPlan, 'mounts' | 'workspace'>): Promise<void> {
  for (const path of [workspace, ...mounts.map(({ source }) => source)]) {
    const now = await realpath(path).catch(() => undefined)
    if (now === path) continue
    const change = now === undefined ? 'is gone' : `leads to ${now} now`
    throw new MoatError('FORBIDDEN', `${path} ${change}: it was changed while its agent started.`, {
      exit: exitCodes.usage,
      suggestions: ['moat list'],
    })
  }
}
