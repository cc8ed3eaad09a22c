// Owns the `-e` flag of `moat run`, and what a valid environment variable's name is.
import { exitCodes, MoatError } from '../errors.js'

/** True for a name every shell can use. */
export function isEnvName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
}

/**
 * The variables of `-e KEY=value` and `-e KEY` (its value from `env`), in order; the last of a key wins. Throws
 * INVALID_ENV, which never shows a value: it may be a secret.
 */
export function parseEnvFlags(flags: readonly string[], env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(flags.map((flag) => parseEnvFlag(flag, env)))
}

function parseEnvFlag(flag: string, env: NodeJS.ProcessEnv): [key: string, value: string] {
  const equals = flag.indexOf('=')
  const key = equals < 0 ? flag : flag.slice(0, equals)
  if (key === '') throw invalidEnv('-e needs a variable name before the value.', 'moat run -e KEY=value')
  if (!isEnvName(key)) {
    throw invalidEnv(
      `-e got ${JSON.stringify(key)}, which is not a variable name: use letters, digits and underscores, and no digit first.`,
      'moat run -e KEY=value',
    )
  }
  const value = equals < 0 ? env[key] : flag.slice(equals + 1)
  if (value === undefined) {
    throw invalidEnv(
      `-e ${key} takes its value from the environment, but ${key} is not set there.`,
      `moat run -e ${key}=value`,
    )
  }
  return [key, value]
}

function invalidEnv(message: string, suggestion: string): MoatError {
  return new MoatError('INVALID_ENV', message, { exit: exitCodes.usage, suggestions: [suggestion] })
}
