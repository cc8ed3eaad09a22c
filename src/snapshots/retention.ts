// Owns which snapshots are dropped when there are more than are to be kept. Pure.
import type { StoredSnapshot } from './store.js'

/** How many are kept of a workspace where nobody has said otherwise. */
export const usualRetention = 30
export const mostRetained = 1_000

/** True for what an agent has brought about: what it does drops no other. */
function isOfAgent({ reason }: Pick<StoredSnapshot, 'reason'>): boolean {
  return reason === 'commit' || reason === 'idle'
}

/** Those to drop after one more, with as many kept of those at commits and idle times as of all others. */
export function surplusOfEach<T extends Pick<StoredSnapshot, 'reason' | 'tree'>>(all: readonly T[], keep: number): T[] {
  const dropped = new Set([
    ...surplus(all.filter(isOfAgent), keep),
    ...surplus(
      all.filter((one) => !isOfAgent(one)),
      keep,
    ),
  ])
  return all.filter((one) => dropped.has(one))
}

/**
 * Those to drop, of `snapshots` from the earliest to the latest. First those nobody asked for that are just like the one after them,
 * so that runs which change nothing push nothing out; then the earliest. Never the latest.
 */
export function surplus<T extends Pick<StoredSnapshot, 'reason' | 'tree'>>(snapshots: readonly T[], keep: number): T[] {
  const over = snapshots.length - Math.max(1, keep)
  if (over <= 0) return []
  const last = snapshots.length - 1
  const repeated = snapshots.filter((one, index) => {
    return index < last && one.reason !== 'demand' && one.tree === snapshots[index + 1]?.tree
  })
  const first = new Set(repeated.slice(0, over))
  const others = snapshots.filter((one, index) => index < last && !first.has(one))
  const dropped = new Set([...first, ...others.slice(0, over - first.size)])
  return snapshots.filter((one) => dropped.has(one))
}
