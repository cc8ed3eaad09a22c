// Owns finding out which parts of a whole are refused, when the one who refuses only says so of all of it.

/** Why these parts together are not taken; undefined when they are, and then they are in force. */
export type Attempt<T> = (parts: readonly T[]) => Promise<string | undefined>

export interface Settled<T> {
  accepted: T[]
  refused: { part: T; reason: string }[]
}

/**
 * Adds as many of `fresh` to `base`, which is taken, as are taken with it: one after the other where need be, halves of them
 * where not. At the end all that is accepted is in force. Of two that cannot be together the first stays.
 */
export async function settle<T>(base: readonly T[], fresh: readonly T[], attempt: Attempt<T>): Promise<Settled<T>> {
  if (fresh.length === 0) return { accepted: [], refused: [] }
  const reason = await attempt([...base, ...fresh])
  if (reason === undefined) return { accepted: [...fresh], refused: [] }
  const [only] = fresh
  if (fresh.length === 1 && only !== undefined) return { accepted: [], refused: [{ part: only, reason }] }
  const middle = fresh.length >> 1
  const first = await settle(base, fresh.slice(0, middle), attempt)
  const second = await settle([...base, ...first.accepted], fresh.slice(middle), attempt)
  return { accepted: [...first.accepted, ...second.accepted], refused: [...first.refused, ...second.refused] }
}
