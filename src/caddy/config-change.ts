// Owns the difference between two configs, as the one subtree to replace.
import { isDeepStrictEqual } from 'node:util'

export interface ConfigChange {
  /** Keys and indices from the root; empty for the whole config. */
  path: string[]
  value: unknown
}

/** The smallest subtree whose replacement turns `current` into `next`; undefined when they are equal. */
export function configChange(current: unknown, next: unknown): ConfigChange | undefined {
  if (isDeepStrictEqual(current, next)) return undefined
  const path: string[] = []
  let [from, to] = [current, next]
  for (;;) {
    const key = onlyDifferingKey(from, to)
    if (key === undefined) return { path, value: to }
    path.push(key)
    from = (from as Record<string, unknown>)[key]
    to = (to as Record<string, unknown>)[key]
  }
}

/** The one key whose values differ; undefined when there are several, or the keys themselves differ. */
function onlyDifferingKey(from: unknown, to: unknown): string | undefined {
  if (typeof from !== 'object' || typeof to !== 'object' || from === null || to === null) return undefined
  if (Array.isArray(from) !== Array.isArray(to)) return undefined
  const keys = Object.keys(to)
  if (keys.length !== Object.keys(from).length || keys.some((key) => !(key in from))) return undefined
  const differing = keys.filter(
    (key) => !isDeepStrictEqual((from as Record<string, unknown>)[key], (to as Record<string, unknown>)[key]),
  )
  return differing.length === 1 ? differing[0] : undefined
}
