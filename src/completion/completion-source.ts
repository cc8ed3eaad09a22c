// Owns what an argument or a flag of a command may complete to. Pure.

/**
 * A command, also a plugin's, declares it per argument or flag:
 * `static completion = { agent: 'agents', '--config': 'files' }`.
 * `endpoints` are those of the agent that stands before, in an argument that completes to agents.
 */
export type CompletionSource =
  | 'agents'
  | 'branches'
  | 'clones'
  | 'commands'
  | 'dependencies'
  | 'directories'
  | 'ended-agents'
  | 'endpoints'
  | 'files'
  | 'grant-providers'
  | 'grants'
  | 'plugins'
  | 'running-agents'
  | 'volumes'

export type CommandCompletion = Record<string, CompletionSource>

/** A word that fits, and what to say of it where the shell shows that. */
export interface Candidate {
  description: string
  value: string
}

/** The arguments that name an agent. */
export function namesAgents(source: CompletionSource | undefined): boolean {
  return source === 'agents' || source === 'running-agents' || source === 'ended-agents'
}
