// Owns how an error is printed. Commands in suggestions stand on lines of their own and are never wrapped, so that
// they can be copied.

import { visibleLines } from '../config/visible.js'
import { isOclifError, MoatError, messageOf, systemCode } from '../errors.js'

/** The text of an error for a person; with `verbose`, its causes and stack too. */
export function renderError(error: unknown, { verbose = false } = {}): string {
  const lines = [`Error: ${visibleLines(messageOf(error))}`]
  const suggestions = error instanceof MoatError ? (error.suggestions ?? []) : []
  if (suggestions.length > 0)
    lines.push('', 'Try this:', ...suggestions.map((suggestion) => `  ${visibleLines(suggestion)}`))
  if (verbose) {
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
      lines.push('', cause === error ? 'Stack:' : 'Caused by:', `${cause.stack}`)
    }
  } else if (!isOclifError(error) && !isRefusal(error)) {
    lines.push('', 'This is a defect in moat. DEBUG=* shows where it happened.')
  }
  return lines.join('\n')
}

/** The system's own no to reading or writing a file, which its message names: the machine's state, not a defect. */
function isRefusal(error: unknown): boolean {
  return ['EACCES', 'EDQUOT', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')
}
