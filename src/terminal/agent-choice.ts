// Owns which agents a command is about that takes several: those that are named, or all.
import type { AgentChoice } from '../agents/stop-agent.js'
import { exitCodes, MoatError } from '../errors.js'

/** Throws USAGE for none, and for names beside --all. `command` is what was typed after `moat`. */
export function chosenAgents(command: string, names: readonly string[], all: boolean): AgentChoice {
  const fail = (message: string) =>
    new MoatError('USAGE', message, {
      exit: exitCodes.usage,
      suggestions: [`moat ${command} <agent>`, `moat ${command} --all`, 'moat list'],
    })
  if (all && names.length > 0) throw fail('Name agents or say --all, not both.')
  if (all) return 'all'
  if (names.length === 0) throw fail(`moat ${command} needs the names of agents.`)
  return names
}
