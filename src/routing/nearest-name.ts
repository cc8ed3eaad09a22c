// Owns "did you mean": the known name nearest to a mistyped one.

/**
 * The candidate with the fewest edits (insert, delete, replace, swap of neighbours; upper and lower case are the same)
 * from `input`, the first of equals; undefined when none is within `maxDistance` edits, by default a third of the input.
 */
export function nearestName(
  input: string,
  candidates: readonly string[],
  maxDistance: number = Math.max(1, Math.floor(input.length / 3)),
): string | undefined {
  let nearest: string | undefined
  let best = maxDistance + 1
  for (const candidate of candidates) {
    const distance = editDistance(input.toLowerCase(), candidate.toLowerCase())
    if (distance < best) {
      best = distance
      nearest = candidate
    }
  }
  return nearest
}

/** Damerau–Levenshtein distance, in its optimal string alignment form. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        cell(previous, column) + 1,
        cell(current, column - 1) + 1,
        cell(previous, column - 1) + (same ? 0 : 1),
        swapped ? cell(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforePrevious = previous
    previous = current
  }
  return cell(previous, b.length)
}

function cell(row: number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
