// Owns what has changed between two lists of which most is the same: entries are compared by identity, so that it costs little
// however long the lists are.

export interface Changes<T> {
  added: T[]
  removed: T[]
}

/** What is known of lists that were made of others. Not the others themselves, or all of them would stay. */
const origins = new WeakMap<readonly unknown[], { before: WeakRef<readonly unknown[]>; changes: Changes<unknown> }>()

/** To be told by whoever made one list of another: then nobody has to compare them. */
export function noteChanges<T>(before: readonly T[], after: readonly T[], changes: Changes<T>): void {
  origins.set(after, { before: new WeakRef(before), changes })
}

/** Of an entry that is there several times, each counts. */
export function changesOf<T>(before: readonly T[], after: readonly T[]): Changes<T> {
  if (before === after) return { added: [], removed: [] }
  const origin = origins.get(after)
  return origin?.before.deref() === before ? (origin.changes as Changes<T>) : compared(before, after)
}

function compared<T>(before: readonly T[], after: readonly T[]): Changes<T> {
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
