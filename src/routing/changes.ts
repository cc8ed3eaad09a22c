// Owns what has changed between two lists of which most is the same: entries are compared by identity, so that it costs little
// however long the lists are. Pure.

export interface Changes<T> {
  added: T[]
  removed: T[]
}

/** Of an entry that is there several times, each counts. */
export function changesOf<T>(before: readonly T[], after: readonly T[]): Changes<T> {
  if (before === after) return { added: [], removed: [] }
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  let [oldEnd, newEnd] = [before.length, after.length]
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd -= 1
    newEnd -= 1
  }
  const left = new Map<T, number>()
  for (let index = start; index < oldEnd; index += 1) addTo(left, before[index] as T, 1)
  const added: T[] = []
  for (let index = start; index < newEnd; index += 1) {
    const entry = after[index] as T
    if ((left.get(entry) ?? 0) > 0) addTo(left, entry, -1)
    else added.push(entry)
  }
  return { added, removed: [...left].flatMap(([entry, count]) => Array<T>(count).fill(entry)) }
}

function addTo<T>(counts: Map<T, number>, entry: T, count: number): void {
  counts.set(entry, (counts.get(entry) ?? 0) + count)
}
