// Owns how keys of a config are named to a person: an agent may have chosen their number and length.

const [mostKeys, mostLetters] = [5, 100]

export function nameKeys(keys: readonly string[]): string {
  const shown = keys.slice(0, mostKeys).map((key) => (key.length > mostLetters ? `${key.slice(0, mostLetters)}…` : key))
  return [...shown, ...(keys.length > mostKeys ? [`${keys.length - mostKeys} more`] : [])].join(', ')
}
