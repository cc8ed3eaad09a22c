// Owns run ids: one per start of an agent.
import { randomBytes } from 'node:crypto'

/** `run_` and 12 hex digits. */
export function newRunId(): string {
  return `run_${randomBytes(6).toString('hex')}`
}
