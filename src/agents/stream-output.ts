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

/**
 * Resolves with `all` when all of it has been handed on, and with `gone` as soon as somebody it is for has gone away. The
 * program is not held up by that: what nobody reads is dropped.
 */
export async function streamOutput(
  output: SessionOutput,
  { hear, stderr, stdout }: OutputTarget,
): Promise<'all' | 'gone'> {
  if (hear) for (const stream of [output.stdout, output.stderr]) stream.on('data', (piece) => hear(String(piece)))
  const gone = Promise.race([handOn(output.stdout, stdout), handOn(output.stderr, stderr)])
  const all = Promise.all([finished(output.stdout), finished(output.stderr)]).then(() => 'all' as const)
  return Promise.race([all, gone])
}

/** Resolves when the target takes no more. */
async function handOn(source: NodeJS.ReadableStream, target: NodeJS.WritableStream): Promise<'gone'> {
  const gone = new Promise<void>((resolve) => target.once('error', () => resolve()))
  source.pipe(target, { end: false })
  await gone
  source.unpipe(target)
  source.resume()
  return 'gone'
}

/** All of it, as text. */
export async function collectOutput({ stderr, stdout }: SessionOutput): Promise<{ stderr: string; stdout: string }> {
  const [err, out] = await Promise.all([text(stderr), text(stdout)])
  return { stderr: err, stdout: out }
}
