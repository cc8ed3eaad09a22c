// Owns handing on what a program in a container writes.
import { text } from 'node:stream/consumers'
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

/** All of it, as text. */
export async function collectOutput({ stderr, stdout }: SessionOutput): Promise<{ stderr: string; stdout: string }> {
  const [err, out] = await Promise.all([text(stderr), text(stdout)])
  return { stderr: err, stdout: out }
}
