// Owns the `--` that separates moat's own arguments from a command to run, and noticing where it is missing.

/** What was meant to come after a `--` that is missing: all from the argument that is one too many. */
export function unseparated(argv: readonly string[], most: number): string[] | undefined {
  const words = [...argv.entries()].filter(([, word]) => !word.startsWith('-'))
  const first = words[most]
  return first && !argv.includes('--') ? argv.slice(first[0]) : undefined
}

/** Everything before the first `--`, and the command after it if there is one. */
export function splitCommand(argv: readonly string[]): { argv: string[]; command?: string[] } {
  const separator = argv.indexOf('--')
  if (separator === -1) return { argv: [...argv] }
  const command = argv.slice(separator + 1)
  return { argv: argv.slice(0, separator), ...(command.length > 0 && { command }) }
}
