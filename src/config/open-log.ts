// Owns logs of processes that run on their own: for their user only, and never longer than a few megabytes at their start.
import { mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What is longer is put aside, in place of what was put aside before. Bytes. */
const longestLog = 5_000_000

/** The descriptor, to be closed by the caller once the process has it. Makes the directory. */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { mode: 0o700, recursive: true })
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > longestLog) renameSync(path, `${path}.old`)
  return openSync(path, 'a', 0o600)
}
