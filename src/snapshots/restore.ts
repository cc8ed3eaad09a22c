// Owns going back to a snapshot: what would change, and making it so, after a snapshot of how it is.
import { shownName } from '../config/raw-name.js'
import type { IgnoreRules } from '../worktrees/ignore-rules.js'
import { workspaceGit } from '../worktrees/workspace-git.js'
import { applyPlan } from './apply.js'
import { onDemand } from './limits.js'
import { contents, ignoredThen, snapshotTree } from './read-snapshot.js'
import { planRestore, type RestorePlan } from './restore-plan.js'
import { type Scanned, scan } from './scan.js'
import { takeLocked } from './snapshots.js'
import { readKnownScan } from './stat-cache.js'
import type { SnapshotStore, StoredSnapshot } from './store.js'
import type { Change, Tree } from './tree.js'

export interface Restored {
  changes: Change[]
  /** Paths that are not what they were in the snapshot, and why. */
  failed: { path: string; why: string }[]
  /** The snapshot that was taken before: to restore it undoes this. */
  undo: StoredSnapshot
}

export interface RestoreOptions {
  onWait?: () => void
  retention?: number
  /** Acts while nobody else is at work in the workspace. */
  whileHeld?: <T>(action: () => Promise<T>) => Promise<T>
}

/** What a restore would change now; nothing is written. */
export async function previewRestore(store: SnapshotStore, snapshot: StoredSnapshot): Promise<RestorePlan> {
  const then = await snapshotTree(store, snapshot)
  const [git, snapshots] = await Promise.all([workspaceGit(store.workspace), store.list()])
  const known = await readKnownScan(store, snapshots)
  const now = await scan({
    also: new Set([...git.tracked, ...then.entries.keys()]),
    known: known?.entries ?? new Map(),
    limits: onDemand,
    rules: git.rules,
    store: () => undefined,
    workspace: store.workspace,
  })
  return plan(store, then, now, git.rules)
}

/** Makes the workspace what it was. The snapshot before it has all that is changed, ignored by now or not. */
export async function restoreSnapshot(
  store: SnapshotStore,
  snapshot: StoredSnapshot,
  { onWait, retention, whileHeld = (action) => action() }: RestoreOptions = {},
): Promise<Restored> {
  const restore = async (): Promise<Restored> => {
    const then = await snapshotTree(store, snapshot)
    const {
      rules,
      scanned,
      snapshot: undo,
    } = await takeLocked(store, {
      also: then.entries.keys(),
      keep: snapshot.id,
      limits: onDemand,
      reason: 'restore',
      ...(retention !== undefined && { retention }),
    })
    const planned = await plan(store, then, scanned, rules)
    const { failed } = await applyPlan(store.workspace, planned, (ids) => contents(store, ids))
    const all = [...planned.blocked, ...failed].map(([path, why]) => ({ path: shownName(path), why }))
    return { changes: planned.changes.filter(({ path }) => !failed.has(path)), failed: all, undo }
  }
  return store.locked(() => whileHeld(restore), onWait)
}

async function plan(store: SnapshotStore, then: Tree, now: Scanned, rules: IgnoreRules): Promise<RestorePlan> {
  return planRestore(then, now, await ignoredThen(store, then, rules))
}
