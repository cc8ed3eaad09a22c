// Owns that snapshots are taken while an agent works, where its user or moat.yaml asks for that. None is needed for a run: what goes wrong
// is said.
import type { MoatPaths } from '../config/paths.js'
import { loadSettings, type Settings } from '../config/settings.js'
import type { SnapshotTriggers } from '../config/snapshots-schema.js'
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { startTriggers } from '../triggers/start-triggers.js'
import { HeadWatch } from '../worktrees/head-watch.js'
import type { AgentPlan } from './plan/plan-agent.js'
import type { Progress } from './progress.js'
import { retentionOf } from './remember-workspace.js'

export interface WatchOptions {
  engine: Pick<Engine, 'address'>
  paths: Pick<MoatPaths, 'configFile' | 'home' | 'snapshots'>
  progress: Pick<Progress, 'note'>
}

/** Looks at the workspace before the agent runs; what it returns is called once it does. */
export async function watchWorkspace(
  { clone, name, snapshots, workspace }: Pick<AgentPlan, 'clone' | 'name' | 'snapshots' | 'workspace'>,
  runId: string,
  { engine, paths, progress }: WatchOptions,
): Promise<(containerId: string) => Promise<void>> {
  const told = (error: unknown) => progress.note(`Note: no snapshots are taken while it runs. ${messageOf(error)}`)
  try {
    const own = (await loadSettings(paths.configFile)).snapshots
    const triggers = wantedTriggers(own, snapshots.triggers)
    if (clone || (!triggers.commit && triggers.idle === undefined)) return async () => {}
    const commit = await new HeadWatch(workspace).commit()
    const { home, snapshots: directory } = paths
    const args = {
      agent: name,
      engine: engine.address,
      paths: { home, snapshots: directory },
      runId,
      triggers,
      workspace,
    }
    const retention = retentionOf(own.retention, snapshots.retention)
    return (containerId) =>
      startTriggers({ ...args, ...(commit !== undefined && { commit }), containerId, retention }).catch(told)
  } catch (error) {
    told(error)
    return async () => {}
  }
}

/** Who wants none before runs has no others but those of their own wish. */
export function wantedTriggers(own: Settings['snapshots'], declared: SnapshotTriggers = {}): SnapshotTriggers {
  return { ...(own.disabled ? {} : declared), ...own.triggers }
}
