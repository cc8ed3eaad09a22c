// Owns handing on what a program in a container writes.
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import type { SessionOutput } from '../engine/sessions.js'

export interface OutputTarget {
  /** Called with all of it as well. */
  hear?: (piece: string) => void
  stderr: NodeJS.WritableStream
  stdout: NodeJS.WritableStream
}

/** Resolves when all of it has been handed on. */
export async function streamOutput(output: SessionOutput, { hear, stderr, stdout }: OutputTarget): Promise<void> {
  if (hear) for (const stream of [output.stdout, output.stderr]) stream.on('data', (piece) => hear(String(piece)))
  output.stdout.pipe(stdout, { end: false })
  output.stderr.pipe(stderr, { end: false })
  await Promise.all([finished(output.stdout), finished(output.stderr)])
}

/** All of it, as text. */
export async function collectOutput({ stderr, stdout }: SessionOutput): Promise<{ stderr: string; stdout: string }> {
  const [err, out] = await Promise.all([text(stderr), text(stdout)])
  return { stderr: err, stdout: out }
}
