// Owns how large a workspace may be for a snapshot of it. An agent has written it, and a run waits for the one before it.
import { MoatError } from '../errors.js'

export interface SnapshotLimits {
  /** Bytes that are read and stored anew. */
  bytes: number
  /** Files, links and directories. */
  entries: number
  /** Bytes of one file; a larger one is left out, and named. */
  file: number
  /** Milliseconds. */
  time: number
}

const file = 256 * 1024 * 1024

/** For one that nobody has asked for. */
export const beforeRun: SnapshotLimits = { bytes: 2 * 1024 ** 3, entries: 300_000, file, time: 60_000 }
/** While an agent works: it can bring about as many as there is time for. */
export const whileRunning: SnapshotLimits = { bytes: 256 * 1024 ** 2, entries: 300_000, file, time: 20_000 }
export const onDemand: SnapshotLimits = { bytes: 32 * 1024 ** 3, entries: 3_000_000, file, time: 30 * 60_000 }

export function tooLarge(what: string): MoatError {
  const message = `The workspace is too large for a snapshot: ${what}.`
  return new MoatError('SNAPSHOT_FAILED', message, { suggestions: ['git status --short', 'moat snapshot create'] })
}
