// Owns where a coding agent's login is found in its container, however it came there. Pure.
import type { AgentProgram } from './contract.js'

/** Undefined for a program that has only grants. */
export function loginFile({ hostLogin, login }: Pick<AgentProgram, 'hostLogin' | 'login'>): string | undefined {
  return login?.file ?? hostLogin?.to
}
