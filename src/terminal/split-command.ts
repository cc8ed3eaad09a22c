// Owns the `--` that separates moat's own arguments from a command to run.

/** Everything before the first `--`, and the command after it if there is one. */
export function splitCommand(argv: readonly string[]): { argv: string[]; command?: string[] } {
  const separator = argv.indexOf('--')
  if (separator === -1) return { argv: [...argv] }
  const command = argv.slice(separator + 1)
  return { argv: argv.slice(0, separator), ...(command.length > 0 && { command }) }
}
