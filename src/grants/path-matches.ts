// Owns whether a path is one of those that get a value. Pure.
import { matchesPath, readPath } from '../egress/paths.js'

/** As rules of the policy read paths; a path that a careless server takes for another has to be one of them both ways. */
export function pathMatches(patterns: readonly string[] | undefined, path: string): boolean {
  if (patterns === undefined) return true
  const read = readPath(path)
  if (!read) return false
  return [read.segments, read.loosely].every((segments) => patterns.some((pattern) => matchesPath(pattern, segments)))
}
