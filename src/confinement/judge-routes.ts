// Owns the judgement on routes before they become Caddy's config: what a plugin returned, and what a label says. Pure.
import { z } from 'zod'
import type { CaddyRoute } from '../routing/agent.js'
import { handlerNames, route } from './handlers.js'
import { placeholderProblem, type TextPlace } from './placeholders.js'

/** Why something is refused, and where: `routes[0].handle[1].upstreams[0].dial`. */
export interface Refusal {
  path: string
  /** One clause, without a full stop; printable ASCII whatever was judged. */
  refused: string
}

export type JudgedRoutes = Refusal | { routes: CaddyRoute[] }

/** Of the routes of one endpoint. More is more than a label should carry, and more than a config should. */
export const limits = { characters: 100_000, depth: 40, values: 10_000 }

const tooDeep = `are nested more than ${limits.depth} deep`

/** Fields with a regular expression, whose braces may count something. */
const patterns = new Set(['find', 'input_regexp', 'pattern', 'search_regexp'])

const schema = z.array(route)

/**
 * The routes as plain data, if all they do is allowed. Those judged are with `{moat.dial.3000}` still in them, in place of
 * the address: what is allowed is that, and no address.
 */
export function judgeRoutes(routes: unknown): JudgedRoutes {
  let plain: unknown
  try {
    plain = plainOf(routes)
  } catch (error) {
    // JSON of what is nested without end goes over the stack before any depth is counted.
    const reason =
      error instanceof RangeError ? tooDeep : printable(error instanceof Error ? error.message : String(error))
    return { path: 'routes', refused: reason }
  }
  const looked = look(plain, { depth: 0, path: ['routes'], place: 'text', values: { left: limits.values } })
  if (looked) return looked
  const parsed = schema.safeParse(plain)
  if (parsed.success) return { routes: plain as CaddyRoute[] }
  const [issue] = parsed.error.issues
  return { path: placeOf(['routes', ...(issue?.path ?? [])]), refused: printable(describe(issue, plain)) }
}

/** What is left of a value as JSON, which is all that Caddy sees of it. */
function plainOf(routes: unknown): unknown {
  const text = JSON.stringify(routes) ?? 'null'
  if (text.length > limits.characters)
    throw new Error(`are longer than ${limits.characters} characters, which is more than a label should carry`)
  return JSON.parse(text)
}

interface Place {
  depth: number
  path: PropertyKey[]
  place: TextPlace
  values: { left: number }
}

/** Looks at every text there is, wherever it stands and whatever the list of handlers says about it. */
function look(value: unknown, at: Place): Refusal | undefined {
  at.values.left -= 1
  const refusal = (reason: string): Refusal => ({ path: placeOf(at.path), refused: printable(reason) })
  if (at.values.left < 0) return { path: 'routes', refused: `have more than ${limits.values} values` }
  if (at.depth > limits.depth) return { path: 'routes', refused: tooDeep }
  if (typeof value === 'string') {
    const problem = value.includes('\0') ? 'has a NUL in it' : placeholderProblem(value, at.place)
    return problem === undefined ? undefined : refusal(problem)
  }
  if (typeof value !== 'object' || value === null) return undefined
  const isMap = (value as { handler?: unknown }).handler === 'map'
  for (const [key, inner] of Object.entries(value)) {
    if (key === '@id') return refusal('may not have an @id: Caddy indexes its whole config by them')
    if (key === '__proto__') return refusal('has a field that is not one of a route')
    const problem = Array.isArray(value) ? undefined : placeholderProblem(key)
    if (problem !== undefined) return refusal(`the field ${quoted(key)} ${problem}`)
    // What a map sets stands in its destinations, and must not be asked for in the rest of it.
    const mapPlace = at.place === 'map' || (isMap && key !== 'destinations') ? 'map' : 'text'
    const place = patterns.has(key) ? 'pattern' : mapPlace
    const found = look(inner, {
      ...at,
      depth: at.depth + 1,
      path: [...at.path, Array.isArray(value) ? Number(key) : key],
      place,
    })
    if (found) return found
  }
  return undefined
}

function describe(issue: z.core.$ZodIssue | undefined, plain: unknown): string {
  if (!issue) return 'are malformed'
  const { path } = issue
  const given = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], plain)
  if (issue.code === 'unrecognized_keys')
    return `the field ${quoted(issue.keys[0] ?? '')} is not one that routes may have here`
  if (issue.code === 'invalid_union' && path.at(-1) === 'handler')
    return `${quoted(String(given))} is not a handler that routes may have; they may have ${handlerNames.join(', ')}`
  if (issue.code === 'custom' || issue.code === 'invalid_format') return issue.message
  return given === undefined ? 'is missing' : `${quoted(JSON.stringify(given))} is not what routes may have here`
}

/** `routes[0].handle` */
export function placeOf(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return printable(text.replace(/^\./, ''))
}

function quoted(text: string): string {
  return text.startsWith('"') ? shortened(text) : `"${shortened(text)}"`
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

/** What came from a label goes to terminals and logs. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
