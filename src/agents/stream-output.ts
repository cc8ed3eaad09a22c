// Owns handing on what a program in a container writes.
import { finished } from 'node:stream/promises'
import type { SessionOutput } from '../engine/sessions.js'

export interface OutputTarget {
  stderr: NodeJS.WritableStream
  stdout: NodeJS.WritableStream
}

/** Resolves when all of it has been handed on. */
export async function streamOutput(output: SessionOutput, { stderr, stdout }: OutputTarget): Promise<void> {
  output.stdout.pipe(stdout, { end: false })
  output.stderr.pipe(stderr, { end: false })
  await Promise.all([finished(output.stdout), finished(output.stderr)])
}
