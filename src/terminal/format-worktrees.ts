// Owns how worktrees are printed.
import type { CleanedWorktrees } from '../agents/clean-worktrees.js'
import type { WorktreeView } from '../agents/list-worktrees.js'
import { displayPath } from '../config/paths.js'
import { formatTable } from './table.js'

const none = '-'
const detached = '(detached)'

/** The table of `moat wt list`: a line a run, and one for a worktree without any. */
export function formatWorktrees(worktrees: readonly WorktreeView[], userHome?: string): string {
  const rows = worktrees.flatMap(({ branch, runs, worktree }) => {
    const shown = runs.length > 0 ? runs : [{ name: none, state: none }]
    return shown.map(({ name, state }) => [branch ?? detached, name, state, displayPath(worktree, userHome)])
  })
  return formatTable([['BRANCH', 'RUN NAME', 'STATE', 'WORKTREE'], ...rows])
}

/** What `moat wt clean` did, a line a worktree. */
export function formatCleaned({ kept, removed }: CleanedWorktrees, userHome?: string): string[] {
  if (kept.length + removed.length === 0) return ['Nothing to remove.']
  return [
    ...removed.map(({ branch, worktree }) => {
      return `Removed ${displayPath(worktree, userHome)}${branch === null ? '' : `; branch ${branch} stays`}.`
    }),
    ...kept.map(({ branch, reason, worktree }) => {
      return `Kept ${displayPath(worktree, userHome)}: ${branch === null ? detached : `branch ${branch}`} ${reason}.`
    }),
  ]
}
