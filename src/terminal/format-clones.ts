// Owns what a person reads of what was pulled from a clone, and pushed into one.
import type { PulledBranch, PulledClone } from '../clones/pull-clone.js'
import type { PushedBranch } from '../clones/push-clone.js'
import { shellQuote } from '../config/shell-quote.js'
import { visible } from '../config/visible.js'
import { formatTable } from './table.js'

/** Files that are named; the rest is counted. */
const mostNamed = 20

export function formatPulled(agent: string, { branches, refused, stash, uncommitted }: PulledClone): string[] {
  const shown = uncommitted.slice(0, mostNamed).map(({ path, status }) => `  ${status.padEnd(2)}  ${visible(path)}`)
  const more = uncommitted.length - shown.length
  const [first] = branches
  return [
    ...(branches.length === 0
      ? [`Nothing new in the clone of ${agent}.`]
      : formatTable([['BRANCH', 'COMMITS', ''], ...branches.map(row)]).split('\n')),
    ...(first ? ['', `To look at it: git log -p ${shellQuote(first.name)} --not HEAD`] : []),
    ...refused.map(({ branch, reason }) => `Left in the clone: ${visible(branch)}: ${visible(reason)}.`),
    ...(uncommitted.length === 0 ? [] : ['', `Not committed in the clone, and so not pulled:`, ...shown]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(stash ? ['A stash stays in the clone.'] : []),
  ]
}

function row({ commit, commits, kept, name, replaced }: PulledBranch): string[] {
  const was = replaced === undefined ? '' : `rewritten; it was ${kept ?? replaced.slice(0, 8)}`
  return [name, Number.isNaN(commits) ? '?' : String(commits), [commit.slice(0, 8), was].filter(Boolean).join('  ')]
}

export function formatPushed(agent: string, pushed: PushedBranch): string[] {
  const { branch, changed, checkedOut, commit, replaced } = pushed
  if (!changed) return [`${branch} is in the clone of ${agent} already, at ${commit.slice(0, 8)}.`]
  const was = replaced === undefined ? '' : `; it was ${replaced.slice(0, 8)}`
  return [
    `${branch} is at ${commit.slice(0, 8)} in the clone of ${agent}${was}.`,
    ...(checkedOut
      ? []
      : [`It is not what is checked out there: moat exec ${agent} -- git switch ${shellQuote(branch)}`]),
  ]
}
