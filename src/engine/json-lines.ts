// Owns reading the engine's streams of JSON, one value a line.
import type { Readable } from 'node:stream'

/** The values of `source` as they arrive. Throws when the stream breaks or a line is not JSON. */
export async function* jsonLines(source: Readable): AsyncGenerator<unknown, void> {
  let rest = ''
  for await (const chunk of source.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim()) yield parseLine(line)
  }
  if (rest.trim()) yield parseLine(rest)
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new Error('the engine sent a line that is not JSON', { cause })
  }
}
