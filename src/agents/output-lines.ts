// Owns reading what a container writes line by line, as data, in the order it was written.
import { StringDecoder } from 'node:string_decoder'
import type { SessionOutput } from '../engine/sessions.js'

export interface OutputLine {
  stream: 'stderr' | 'stdout'
  /** Without the end of the line. */
  text: string
}

/** Calls `onLine` for each line; resolves when both streams have ended. */
export async function readLines({ stderr, stdout }: SessionOutput, onLine: (line: OutputLine) => void): Promise<void> {
  await Promise.all([linesOf(stdout, 'stdout', onLine), linesOf(stderr, 'stderr', onLine)])
}

/** By events, not by iteration: only so the lines of the two streams keep their order. */
function linesOf(
  source: NodeJS.ReadableStream,
  stream: OutputLine['stream'],
  onLine: (line: OutputLine) => void,
): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return new Promise((resolve, reject) => {
    source.on('data', (chunk: Buffer) => {
      const lines = `${rest}${decoder.write(chunk)}`.split('\n')
      rest = lines.pop() ?? ''
      // A terminal ends lines with a carriage return too.
      for (const line of lines) onLine({ stream, text: line.replace(/\r$/, '') })
    })
    source.on('error', reject)
    source.on('end', () => {
      rest += decoder.end()
      if (rest) onLine({ stream, text: rest })
      resolve()
    })
  })
}
