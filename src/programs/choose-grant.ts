// Owns which of the grants that a coding agent can do with it is given. Pure.

export interface GrantChoice {
  /** What is to be granted besides what was named already. */
  added: string[]
  /** The one of `wanted` that it has. */
  grant?: string
}

/** `wanted`: the best first. `named`: by moat.yaml and flags, each perhaps with `@profile`. `there`: those of the profile. */
export function chooseGrant(
  wanted: readonly string[],
  named: readonly string[],
  there: readonly string[],
): GrantChoice {
  const own = named.map((text) => text.split('@')[0] ?? '')
  // Somebody has said which: also one that there is not yet, which is then asked for.
  const said = wanted.find((name) => own.includes(name))
  if (said !== undefined) return { added: [], grant: said }
  const found = wanted.find((name) => there.includes(name))
  return found === undefined ? { added: [] } : { added: [found], grant: found }
}
