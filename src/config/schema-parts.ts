// Owns the parts config schemas are made of, and the words their errors are said in.
import { isIP } from 'node:net'
import { z } from 'zod'
import { encodingProblem, isDnsLabel, suggestDnsLabel } from '../routing/dns-label.js'
import { domainProblem } from '../routing/domain.js'
import { memoryHint, portHint, quotesHint } from './habits.js'
import { needed } from './needed.js'

// zod would compile each schema of a mapping, which takes longer than the one time it is used.
z.config({ jitless: true })

const labelRule = 'must be a DNS label (lowercase letters, digits and hyphens, at most 63 characters)'

/**
 * Of a mapping whose keys may all be left out, the shape for those that `value` has: the others would be made for nothing. It is given as
 * the shape of all of them, for who reads what has passed.
 */
export function ofKeys<T extends Record<string, () => z.ZodType>>(
  makers: T,
  value: unknown,
): { [Key in keyof T]: ReturnType<T[Key]> } {
  const there = value instanceof Object ? Object.keys(makers).filter((key) => Object.hasOwn(value, key)) : []
  return Object.fromEntries(there.map((key) => [key, makers[key]?.()])) as never
}

/** `must be <expected>, not <what stands there>`. */
export function mustBe(expected: string, input: unknown): string {
  if (input === undefined) return `is missing; it must be ${expected}`
  if (input === null || input === '') return `is empty; it must be ${expected}`
  return `must be ${expected}, not ${describe(input)}`
}

/** A value that passes `test`, described by `expected` when it does not, and by what `hint` has to say of it. */
export function leaf<T>(expected: string, test: (value: unknown) => boolean, hint?: (input: unknown) => string) {
  const error = ({ input }: { input?: unknown }) =>
    `${mustBe(expected, input)}${quotesHint(input, test) || hint?.(input) || ''}`
  // Not aborting lets the mapping around the value have its keys checked too.
  return z.custom<T>(test, { abort: false, error })
}

/** Text; may be empty when `empty` says so. Numbers are not taken for text: `1.10` would lose its zero. */
export function text(empty: 'empty allowed' | 'not empty' = 'not empty') {
  return z.custom<string>((value) => typeof value === 'string' && (empty === 'empty allowed' || value !== ''), {
    abort: false,
    error: ({ input }) => {
      const unquoted = typeof input === 'number' || typeof input === 'boolean'
      return `${mustBe('text', input)}${unquoted ? '; write it in quotes' : ''}`
    },
  })
}

export const portNumber = needed(() => leaf<number>('a port number from 1 to 65535', isPortNumber, portHint))

export function isPortNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535
}

/** The smallest memory limit container engines accept, in MiB. */
const minimumMemory = 6

export const memoryLimit = needed(() =>
  leaf<number>(
    `a whole number of MiB, at least ${minimumMemory}`,
    (value) => Number.isInteger(value) && Number(value) >= minimumMemory,
    memoryHint,
  ),
)

/** Text that is a DNS label; the error suggests one. */
export const dnsLabel = needed(() =>
  text().superRefine((value, context) => {
    if (typeof value !== 'string' || value === '' || isDnsLabel(value)) return
    context.addIssue({ code: 'custom', message: `${labelProblem(value)}${labelHint(value)}` })
  }),
)

/** Text that is a domain agents can have their hosts below. */
export const domain = needed(() =>
  text().superRefine((value, context) => {
    if (typeof value !== 'string' || value === '') return
    const address = `must be a domain such as "moat.test", not the IP address ${describe(value)}`
    const problem = isIP(value) === 0 ? domainProblem(value) : address
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  }),
)

/** What is wrong with an endpoint's name, as a whole sentence; undefined if nothing is. */
export function endpointNameProblem(name: string): string | undefined {
  return isDnsLabel(name)
    ? undefined
    : `endpoint name ${describe(name)} ${encodingProblem(name) ?? labelRule}${labelHint(name)}`
}

function labelProblem(value: string): string {
  return encodingProblem(value) ?? `${labelRule}, not ${describe(value)}`
}

/** zod's `error` for a collection: only for a value that is no such collection, not for what is wrong inside. */
export function collectionError(expected: string, hint?: (input: unknown) => string) {
  return (issue: { code?: string | undefined; input?: unknown }): string | undefined =>
    issue.code === 'invalid_type' ? `${mustBe(expected, issue.input)}${hint?.(issue.input) ?? ''}` : undefined
}

function labelHint(name: string): string {
  const suggestion = suggestDnsLabel(name)
  return suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Object) return 'a mapping'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
