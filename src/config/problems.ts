// Owns how problems in a config file are reported: every one as `file:line:column: cause`, all in one error.
import { isAbsolute, relative, sep } from 'node:path'
import { exitCodes, MoatError } from '../errors.js'

/** One thing wrong with a config file. `offset` counts UTF-16 units from the start of its text. */
export interface Problem {
  message: string
  offset: number
}

/** Line and column of an offset, both from 1. A column counts UTF-16 units, as editors do. */
export function lineColumn(text: string, offset: number): { column: number; line: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/)
  return { column: (lines.at(-1)?.length ?? 0) + 1, line: lines.length }
}

/** `file:line:column` of an offset. */
export function formatPosition(displayFile: string, text: string, offset: number): string {
  const { column, line } = lineColumn(text, offset)
  return `${displayFile}:${line}:${column}`
}

/** CONFIG_INVALID with one line per problem, in the order of the file. */
export function configError(displayFile: string, text: string, problems: Problem[], cause?: unknown): MoatError {
  const lines = problems
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ message, offset }) => `${formatPosition(displayFile, text, offset)}: ${message}`)
  return new MoatError('CONFIG_INVALID', lines.join('\n'), { cause, exit: exitCodes.usage })
}

/** How errors name an absolute path: relative to `cwd` when it is below it. */
export function displayName(file: string, cwd: string): string {
  const name = relative(cwd, file)
  return name === '' || name === '..' || name.startsWith(`..${sep}`) || isAbsolute(name) ? file : name
}
