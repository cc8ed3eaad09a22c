// Owns the small parts that the allowed JSON of matchers and handlers is described with.
import { z } from 'zod'

export const text = z.string()
export const texts = z.array(text)
export const flag = z.boolean()
export const count = z.int().min(0).max(1_000_000)
export const size = z.int().min(0).max(10_000_000_000)
/** As Caddy takes it: nanoseconds, or `1m30s`. */
export const duration = text
  .regex(/^(\d{1,9}(\.\d+)?(ns|us|µs|ms|s|m|h|d))+$/, 'is not a length of time such as "5s"')
  .or(z.int().min(0))
/** A number, or a placeholder for one. */
export const status = z.int().min(100).max(599).or(text)

/** RFC 9110's token, without the `*` that stands for any text in some of Caddy's fields. */
const token = /^[\w!#$%&'+.^`|~-]+$/
const anyToken = /^[\w!#$%&'*+.^`|~-]+$/

export type NameProblem = (name: string) => string | undefined

/** Names that moat and Caddy do not use themselves. */
export const ownName: NameProblem = (name) =>
  /^x_\w+$/.test(name) ? undefined : 'must begin with x_: other names are those of Caddy and moat'

/** The name of a header, as far as a matcher or an answer may name it. */
export const headerName: NameProblem = (name) => (anyToken.test(name) ? undefined : 'is not the name of a header')

/** One that goes to the container. */
export const sentName: NameProblem = (name) => {
  if (!token.test(name)) return 'is not the name of one header'
  return /^x-moat-/i.test(name) ? "is one of moat's own headers" : undefined
}

/** One of the request itself, by which moat chooses where it goes. */
export const requestName: NameProblem = (name) =>
  name.toLowerCase() === 'host'
    ? 'cannot be changed here; the Host that the container sees is set by `upstream.host`, or in the headers of a reverse_proxy'
    : sentName(name)

/** A mapping with names of one kind. */
export function named<T extends z.ZodType>(problemOf: NameProblem, value: T) {
  return z.record(text, value).superRefine((all, context) => checkNames(Object.keys(all), problemOf, context))
}

/** A list of such names. */
export function names(problemOf: NameProblem) {
  return texts.superRefine((all, context) => checkNames(all, problemOf, context))
}

export function checkNames(
  all: readonly string[],
  problemOf: NameProblem,
  context: { addIssue(issue: { code: 'custom'; message: string }): void },
): void {
  for (const name of all) {
    const problem = problemOf(name)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${JSON.stringify(name)} ${problem}` })
  }
}
