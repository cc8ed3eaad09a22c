// Owns what is remembered of a workspace before a run: what its user's tools trust in it, and a snapshot of all. Whatever goes wrong
// with the snapshot is said, and the agent is started all the same.
import type { MoatPaths } from '../config/paths.js'
import { loadSettings } from '../config/settings.js'
import { messageOf } from '../errors.js'
import { rememberStart } from '../review/review.js'
import { beforeRun } from '../snapshots/limits.js'
import { mostRetained, usualRetention } from '../snapshots/retention.js'
import { openStore, takeSnapshot } from '../snapshots/snapshots.js'
import type { AgentPlan } from './plan/plan-agent.js'
import type { Progress } from './progress.js'

export interface RememberOptions {
  paths: Pick<MoatPaths, 'configFile' | 'home' | 'reviews' | 'snapshots'>
  progress: Pick<Progress, 'note'>
}

/** A snapshot that takes longer is told of. Milliseconds. */
const slow = 2_000

export async function rememberWorkspace(
  plan: Pick<AgentPlan, 'clone' | 'name' | 'snapshots' | 'workspace'>,
  runId: string,
  { paths, progress }: RememberOptions,
): Promise<void> {
  const { clone, name, workspace } = plan
  const start = { name, runId, startedAt: new Date().toISOString(), workspace }
  // While git is at work for the other.
  const surveyed = rememberStart(paths, { ...start, ...(clone && { clone: true as const }) })
  surveyed.catch(() => {})
  // Of what it does nothing is in the workspace.
  if (clone) progress.note('No snapshot is taken: the agent changes nothing of the workspace.')
  else await snapshot(plan, runId, paths, progress)
  await surveyed
}

async function snapshot(
  { name, snapshots, workspace }: Pick<AgentPlan, 'name' | 'snapshots' | 'workspace'>,
  runId: string,
  paths: Pick<MoatPaths, 'configFile' | 'home' | 'snapshots'>,
  progress: Pick<Progress, 'note'>,
): Promise<void> {
  const late = setTimeout(() => progress.note('Taking a snapshot of the workspace…'), slow)
  try {
    const own = (await loadSettings(paths.configFile)).snapshots
    if (own.disabled) return
    if (snapshots.disabledPlace !== undefined) {
      progress.note(`Note: no snapshot of the workspace is taken: ${snapshots.disabledPlace} says so.`)
      return
    }
    await takeSnapshot(await openStore(paths, workspace), {
      agent: name,
      limits: beforeRun,
      onWait: () => progress.note('Waiting for another moat that takes a snapshot here.'),
      reason: 'run',
      retention: retentionOf(own.retention, snapshots.retention),
      runId,
    })
  } catch (error) {
    progress.note(`Note: there is no snapshot from before this run. ${messageOf(error)}`)
  } finally {
    clearTimeout(late)
  }
}

/** moat.yaml may ask for more than is usual, not for less: an agent that writes it could have what was before it dropped. */
export function retentionOf(own: number | undefined, declared: number | undefined): number {
  return Math.min(mostRetained, Math.max(own ?? usualRetention, declared ?? 0))
}
