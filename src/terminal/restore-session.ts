// Owns a restore as a person sees it: what will change, the question, and what has changed.

import { retentionOf } from '../agents/remember-workspace.js'
import { restoreWorkspace } from '../agents/restore-workspace.js'
import type { MoatPaths } from '../config/paths.js'
import { loadSettings } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import { previewRestore } from '../snapshots/restore.js'
import type { SnapshotStore, StoredSnapshot } from '../snapshots/store.js'
import { confirm } from './confirm.js'
import { type ChangeView, changeViews, countOf, formatChanges, formatReasons } from './format-snapshots.js'
import { Interrupts } from './interrupts.js'

export interface RestoreSessionOptions {
  /** False where nobody may be asked. */
  ask: boolean
  engine: Engine | undefined
  log: (line: string) => void
  note: (line: string) => void
  paths: Pick<MoatPaths, 'configFile'>
  snapshot: StoredSnapshot
  store: SnapshotStore
  yes: boolean
}

/** What `restore --json` prints. */
export interface RestoreOutcome {
  changes: ChangeView[]
  failed: { path: string; why: string }[]
  /** How many agents were paused meanwhile. */
  paused: number
  restored: number
  /** The snapshot from before; undefined where there was nothing to do. */
  undo?: number
  workspace: string
}

export async function restoreSession(options: RestoreSessionOptions): Promise<RestoreOutcome> {
  const { ask, engine, log, note, paths, snapshot, store, yes } = options
  const { workspace } = store
  const settings = (await loadSettings(paths.configFile)).snapshots
  const plan = await previewRestore(store, snapshot)
  const nothing = { changes: [], failed: [], paused: 0, restored: snapshot.id, workspace }
  if (plan.changes.length + plan.inTheWay.length + plan.blocked.size === 0) {
    log(`${workspace} is as it was in snapshot ${snapshot.id}.`)
    return nothing
  }
  note(`To go back to snapshot ${snapshot.id}, in ${workspace}:`)
  formatChanges(changeViews(plan.changes)).forEach(note)
  if (!yes && !(await agreed(ask, options))) {
    note('Nothing was changed.')
    return nothing
  }
  const interrupts = new Interrupts()
  // An agent that is held still must be woken, and half of a tree is no use.
  interrupts.onInterrupt(() => note('Finishing the restore; it can be undone then.'))
  try {
    const changed = plan.changes.map(({ path }) => path)
    const retention = retentionOf(settings.retention, undefined)
    const { changes, failed, paused, undo } = await restoreWorkspace(store, snapshot, {
      engine,
      note,
      paths: changed,
      retention,
    })
    log(`Restored snapshot ${snapshot.id}: ${countOf(changes.length, 'change')}.`)
    note(`To undo that: moat snapshot restore ${shellQuote(workspace)} ${undo.id}`)
    if (failed.length > 0) {
      note('These are not as they were:')
      formatReasons(failed).forEach(note)
      process.exitCode = exitCodes.failure
    }
    return { changes: changeViews(changes), failed, paused, restored: snapshot.id, undo: undo.id, workspace }
  } finally {
    interrupts.release()
  }
}

async function agreed(ask: boolean, { snapshot, store }: RestoreSessionOptions): Promise<boolean> {
  const answer = ask ? await confirm('Change that?') : undefined
  if (answer !== undefined) return answer
  throw new MoatError('USAGE', 'Without a terminal, moat snapshot restore does not ask and changes nothing.', {
    exit: exitCodes.usage,
    suggestions: [`moat snapshot restore ${shellQuote(store.workspace)} ${snapshot.id} --yes`],
  })
}
