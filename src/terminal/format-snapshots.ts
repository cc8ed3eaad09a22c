// Owns how snapshots, and what changes between them, are printed.
import { shownName } from '../config/raw-name.js'
import { visible } from '../config/visible.js'
import { formatAge } from '../routing/format-age.js'
import type { Snapshot } from '../snapshots/store.js'
import type { Change } from '../snapshots/tree.js'
import { formatTable } from './table.js'

/** What is shown of a change. */
export interface ChangeView {
  change: Change['change']
  path: string
}

/** What is printed of a snapshot with --json. */
export interface SnapshotView extends Snapshot {
  commit: string
}

const reasons = {
  commit: 'after a commit',
  demand: 'asked for',
  idle: 'at an idle time',
  restore: 'before a restore',
  run: 'before a run',
} as const
const marks = { added: '+', changed: '~', removed: '-' } as const
const mostShown = 40

export function snapshotView({
  commit,
  createdAt,
  files,
  id,
  left,
  reason,
  workspace,
  ...run
}: Snapshot & { commit: string }): SnapshotView {
  const { agent, runId } = run
  return {
    ...(agent !== undefined && { agent }),
    commit,
    createdAt,
    files,
    id,
    left,
    reason,
    ...(runId !== undefined && { runId }),
    workspace,
  }
}

/** The latest first. */
export function formatSnapshots(snapshots: readonly Snapshot[], now: number = Date.now()): string {
  const rows = snapshots.toReversed().map(({ agent, createdAt, files, id, reason, runId }) => {
    const run = agent === undefined ? '' : ` of ${visible(agent)}${runId === undefined ? '' : ` (${visible(runId)})`}`
    return [String(id), formatAge(createdAt, now), String(files), `${reasons[reason] ?? visible(reason)}${run}`]
  })
  return formatTable([['ID', 'AGE', 'FILES', 'TAKEN'], ...rows])
}

export function changeViews(changes: readonly Change[]): ChangeView[] {
  return changes.map(({ change, path }) => ({ change, path: shownName(path) }))
}

/** A line a change; of very many, the first, and how many more. */
export function formatChanges(changes: readonly ChangeView[], most: number = mostShown): string[] {
  const shown = changes.slice(0, most).map(({ change, path }) => `  ${marks[change]} ${visible(path)}`)
  return changes.length > most ? [...shown, `  … and ${changes.length - most} more`] : shown
}

/** Paths with why, in the same way. */
export function formatReasons(items: readonly { path: string; why: string }[]): string[] {
  const shown = items.slice(0, mostShown).map(({ path, why }) => `  ${visible(path)}: ${visible(why)}`)
  return items.length > mostShown ? [...shown, `  … and ${items.length - mostShown} more`] : shown
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
