// Owns the plain description of what a grant puts into requests, and where: what the proxy's config is made of. It never has a
// value in it; what is made of one is computed for a single request, and kept nowhere. Pure.
import { pathMatches } from './path-matches.js'

/** Where in a request something is put. `{token}` in a text is the value; other fields of a value by their names. */
export type Placement =
  | { kind: 'basic'; username: string }
  | { kind: 'header'; name: string; value: string }
  | { kind: 'query'; name: string; value: string }

/** One thing that the proxy does for an agent with a grant: for these hosts, ports and paths, and for no others. */
export interface Injection {
  /** The name of the grant. */
  grant: string
  /** Lower case; never a pattern: a wildcard would give the value to whoever gets a name there. */
  hosts: string[]
  /** As in PathRule; absent: every path. */
  paths?: string[]
  place: Placement[]
  ports: number[]
  profile: string
  /** Headers of the agent's own that go, besides those that are set. Lower case. */
  remove: string[]
  /** The same of the query. */
  removeQuery: string[]
}

/** A grant as a container's label names it: `github`, or `github@work` of another profile. */
export interface GrantName {
  name: string
  profile: string
}

export const defaultProfile = 'default'

export function formatGrant({ name, profile }: GrantName): string {
  return profile === defaultProfile ? name : `${name}@${profile}`
}

/** As a command takes it: `github --profile work`. */
export function grantCommand({ name, profile }: GrantName): string {
  return profile === defaultProfile ? name : `${name} --profile ${profile}`
}

export function parseGrant(text: string): GrantName {
  const [name = '', profile = defaultProfile] = text.split('@', 2)
  return { name, profile }
}

const fieldPattern = /\{(\w+)\}/g

/** What one request is given. */
export interface Injected {
  /** Lower-case names. */
  headers: Record<string, string>
  query: Record<string, string>
}

/** Fields of a secret by name; most have `token` alone. */
export type Secret = Readonly<Record<string, string>>

export function inject({ place }: Pick<Injection, 'place'>, secret: Secret): Injected {
  const injected: Injected = { headers: {}, query: {} }
  for (const one of place) {
    if (one.kind === 'header') injected.headers[one.name.toLowerCase()] = fill(one.value, secret)
    else if (one.kind === 'query') injected.query[one.name] = fill(one.value, secret)
    else {
      const pair = `${fill(one.username, secret)}:${secret.token ?? ''}`
      injected.headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    }
  }
  return injected
}

/** The names of all headers that the agent may not send itself to where this is put. Lower case, sorted. */
export function replacedHeaders({ place, remove }: Pick<Injection, 'place' | 'remove'>): string[] {
  const set = place.flatMap((one) =>
    one.kind === 'query' ? [] : one.kind === 'basic' ? ['authorization'] : [one.name],
  )
  return [...new Set([...set, ...remove].map((name) => name.toLowerCase()))].toSorted()
}

/** Of one field: as it is, in hex (2), URL encoding (4), and in Base64 (2) at each of three alignments. */
const formsOfField = 13

/** Of how many forms Caddy has to know before it has any: it looks for each in every header of an answer. */
export function mostTracesOf({ place }: Pick<Injection, 'place'>): number {
  return formsOfField * new Set(place.flatMap(usedFields)).size
}

/** Shorter values would be found in what has nothing to do with them. */
const shortestTrace = 6

/**
 * The forms in which a server may send back what it was given, to be taken out of its answers; the longest first. In Base64 it is
 * found wherever it stands in what was encoded: what is left of it is a letter or two at its ends.
 */
export function tracesOf({ place }: Pick<Injection, 'place'>, secret: Secret): string[] {
  const used = new Set(place.flatMap(usedFields))
  const texts = Object.entries(secret).flatMap(([field, text]) => (used.has(field) ? [text] : []))
  const forms = texts.flatMap((text) => {
    const hex = Buffer.from(text).toString('hex')
    return [text, hex, hex.toUpperCase(), ...urlForms(text), ...base64Forms(text)]
  })
  const long = [...new Set(forms)].filter(({ length }) => length >= shortestTrace)
  return long.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1))
}

/** With a blank in either way, and codes in capitals, as most write them, or small, as .NET does. */
function urlForms(text: string): string[] {
  const encoded = encodeURIComponent(text)
  const small = encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  return [encoded, small].flatMap((form) => [form, form.replaceAll('%20', '+')])
}

/** Without the letters that what stands before and after has a part in, for each of the three ways to begin. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
    const [from, to] = [Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6)]
    return [bytes.toString('base64').slice(from, to), bytes.toString('base64url').slice(from, to)]
  })
}

function usedFields(place: Placement): string[] {
  return place.kind === 'basic' ? ['token'] : [...place.value.matchAll(fieldPattern)].map(([, name = '']) => name)
}

/** The first that is for a request; undefined for one that gets nothing. `host` in its one form, `path` as it was sent. */
export function injectionFor(
  injections: readonly Injection[],
  { host, path, port }: { host: string; path: string; port: number },
): Injection | undefined {
  return injections.find(
    ({ hosts, paths, ports }) => hosts.includes(host) && ports.includes(port) && pathMatches(paths, path),
  )
}

/** Two grants for one place: neither of them could be chosen. */
export function clashOf(
  injections: readonly Injection[],
): { first: Injection; host: string; second: Injection } | undefined {
  for (const [index, second] of injections.entries()) {
    for (const first of injections.slice(0, index)) {
      if (first.grant === second.grant && first.profile === second.profile) continue
      const host = second.hosts.find((one) => first.hosts.includes(one))
      if (host !== undefined && second.ports.some((port) => first.ports.includes(port))) return { first, host, second }
    }
  }
  return undefined
}

function fill(template: string, secret: Secret): string {
  return template.replace(fieldPattern, (whole, name: string) =>
    Object.hasOwn(secret, name) ? (secret[name] ?? '') : whole,
  )
}
