// Owns whether a path is one of those that get a value. Pure.

/** `*` stands for one segment, `**` for any number of them, none too. No patterns: every path. A query is not looked at. */
export function pathMatches(patterns: readonly string[] | undefined, path: string): boolean {
  if (patterns === undefined) return true
  const segments = (path.split('?', 1)[0] ?? '').split('/')
  return patterns.some((pattern) => matches(pattern.split('/'), segments))
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return segments.length === 0
  if (first === '**') return segments.some((_, index) => matches(rest, segments.slice(index))) || matches(rest, [])
  const [segment, ...others] = segments
  return segment !== undefined && (first === '*' ? segment !== '' : first === segment) && matches(rest, others)
}
