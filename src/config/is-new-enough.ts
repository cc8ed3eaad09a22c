// Owns the comparison of versions. Also asked by a Node too old for the rest of moat: plain JavaScript, and no imports.

/** Compares `major.minor.patch`; parts that are left out count as 0. */
export function isNewEnough(version: string, minimum: string): boolean {
  const [found, needed] = [version, minimum].map((text) => text.split('.').map(Number))
  for (let part = 0; part < 3; part += 1) {
    const difference = (found?.[part] ?? 0) - (needed?.[part] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
