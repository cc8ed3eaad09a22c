// Owns what a Caddy says when it ends because of an error: a line of text up to 2.11.4, one of its log from 2.11.9 on. Pure.

/** Undefined when it has said nothing of the kind. A stack trace is nobody's business. */
export function lastWords(output: string): string | undefined {
  const lines = output.trim().split('\n')
  const ended = lines.map(complaintIn).findLast((text) => text !== undefined)
  return ended ?? lines.find((line) => line.startsWith('panic: '))?.replace('panic: ', '')
}

function complaintIn(line: string): string | undefined {
  if (line.startsWith('Error: ')) return line.replace('Error: ', '')
  if (!line.startsWith('{')) return undefined
  try {
    const { level, logger, msg } = JSON.parse(line) as { level?: unknown; logger?: unknown; msg?: unknown }
    // What its parts complain of has the name of one.
    return level === 'error' && logger === undefined && typeof msg === 'string' ? msg : undefined
  } catch {
    return undefined
  }
}
