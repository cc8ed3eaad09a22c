// Owns what a package says of the coding agents it brings without being run: `"moat": {"agents": {"claude": "Run Claude Code"}}`. By
// it help and completion know the commands. Pure.
import { isDnsLabel } from '../routing/dns-label.js'

/** The hidden command whose flags, arguments and code every command of a coding agent has. */
export const templateCommand = 'coding-agent'

/** A command, and what help says of it. */
export interface DeclaredProgram {
  name: string
  summary: string
}

/** None where there is nothing, or something else. */
export function declaredPrograms(packageFile: unknown): DeclaredProgram[] {
  const agents = field(field(packageFile, 'moat'), 'agents')
  if (!(agents instanceof Object) || Array.isArray(agents)) return []
  return Object.entries(agents).flatMap(([name, summary]) =>
    isDnsLabel(name) && typeof summary === 'string' ? [{ name, summary }] : [],
  )
}

function field(value: unknown, key: string): unknown {
  return value instanceof Object && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}
