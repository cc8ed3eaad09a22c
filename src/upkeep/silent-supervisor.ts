// Owns what is said of a supervisor that runs and does not answer: which process it is, if that can be proved.

import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { ownSupervisor } from './own-processes.js'

/** The error of a client that has waited long enough. */
export async function silentSupervisor(paths: Pick<MoatPaths, 'supervisorLock'>): Promise<MoatError> {
  const { message, suggestions } = await describeSilence(paths)
  return new MoatError('SUPERVISOR_FAILED', message, { suggestions })
}

/** Ending it is safe: Caddy goes on, and the next command starts another supervisor. Nothing is said of a process that is not proved. */
export async function describeSilence(
  paths: Pick<MoatPaths, 'supervisorLock'>,
): Promise<{ message: string; suggestions: string[] }> {
  const supervisor = await ownSupervisor(paths)
  if (supervisor) {
    const suggestions = [`kill -KILL ${supervisor.pid}   # the next command starts another, which adopts its Caddy`]
    return { message: `The proxy's supervisor (pid ${supervisor.pid}) does not answer.`, suggestions }
  }
  const suggestions = [`lsof ${shellQuote(paths.supervisorLock)}   # which process has the lock of the supervisor`]
  return { message: "The proxy's supervisor does not answer.", suggestions }
}
