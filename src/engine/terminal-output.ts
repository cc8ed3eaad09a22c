// Owns the output of a program with a terminal: one stream, not two.
import { PassThrough, type Readable } from 'node:stream'
import type { SessionOutput } from './sessions.js'

export function terminalOutput(source: Readable): SessionOutput {
  const stderr = new PassThrough()
  stderr.end()
  return { stderr, stdout: source.pipe(new PassThrough()) }
}
