// Owns how problems in a config file are reported: every one as `file:line:column: cause`, all in one error.
import { isAbsolute, relative, sep } from 'node:path'
import { exitCodes, MoatError } from '../errors.js'
import { visible } from './visible.js'

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

/** CONFIG_INVALID with one line per problem, in the order of the file, whatever is quoted from it. */
export function configError(displayFile: string, text: string, problems: Problem[], cause?: unknown): MoatError {
  const lines = problems
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ message, offset }) => `${formatPosition(displayFile, text, offset)}: ${visible(message)}`)
  return new MoatError('CONFIG_INVALID', lines.join('\n'), { cause, exit: exitCodes.usage })
}

/** How errors name an absolute path: relative to `cwd` when it is below it. */
export function displayName(file: string, cwd: string): string {
  const name = relative(cwd, file)
  return name === '' || name === '..' || name.startsWith(`..${sep}`) || isAbsolute(name) ? file : name
}

/** Codes of what is wrong with a config file, and whose messages begin with its place in there. */
const ofFiles = ['CONFIG_INVALID', 'ENDPOINT_TYPE']
/** What is told in one error with all others of the kind. */
const told = [...ofFiles, 'PLUGIN_FAILED']

/** What all of `checks` give, each of which may throw. All that they find wrong with a config file is one error. */
export async function checkAll<const Checks extends readonly (() => unknown)[]>(
  checks: Checks,
): Promise<{ -readonly [Index in keyof Checks]: Awaited<ReturnType<Checks[Index]>> }> {
  const outcomes = await Promise.allSettled(checks.map(async (check) => check()))
  throwAll(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])))
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined)) as never
}

/** Throws what is wrong with a config file and with plugins as one error, else the first of the others; nothing for none. */
export function throwAll(errors: readonly unknown[]): void {
  const problems = errors.filter((error) => error instanceof MoatError && told.includes(error.code)) as MoatError[]
  if (problems.length > 0) throw joined(problems)
  if (errors.length > 0) throw errors[0]
}

function joined(errors: readonly MoatError[]): MoatError {
  const [first] = errors
  if (first && errors.length === 1) return first
  const inFiles = errors.filter(({ code }) => ofFiles.includes(code))
  const others = errors.filter((error) => !inFiles.includes(error))
  const lines = [
    ...inFiles.flatMap(({ message }) => message.split('\n')).toSorted(byPlace),
    ...others.map(({ message }) => message),
  ]
  const suggestions = [...new Set(errors.flatMap((error) => error.suggestions ?? []))]
  const codes = new Set(errors.map(({ code }) => code))
  return new MoatError(first && codes.size === 1 ? first.code : 'CONFIG_INVALID', lines.join('\n'), {
    cause: first,
    ...(inFiles.length > 0 && { exit: exitCodes.usage }),
    ...(suggestions.length > 0 && { suggestions }),
  })
}

function byPlace(a: string, b: string): number {
  const place = (line: string) => (/:(\d+):(\d+): /.exec(line) ?? []).slice(1).map(Number)
  const [[lineA = 0, columnA = 0], [lineB = 0, columnB = 0]] = [place(a), place(b)]
  return lineA - lineB || columnA - columnB
}
