// Owns the plain description of what a grant puts into requests, and where: what the proxy's config is made of. It never has a
// value in it; what is made of one is computed for a single request, and kept nowhere. Pure.
import type { NetworkRule, PathRule } from '../egress/policy.js'

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

export function parseGrant(text: string): GrantName {
  const [name = '', profile = defaultProfile] = text.split('@', 2)
  return { name, profile }
}

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

/** Shorter values would be found in what has nothing to do with them. */
const shortestTrace = 6

/** The forms in which a server may send back what it was given: to be taken out of its answers. The longest first. */
export function tracesOf(injection: Pick<Injection, 'place'>, secret: Secret): string[] {
  const { headers, query } = inject(injection, secret)
  const texts = [...Object.values(secret), ...Object.values(headers), ...Object.values(query)]
  const bare = texts.flatMap((text) => [text, text.replace(/^(Basic|Bearer|token) /i, '').replace(/=+$/, '')])
  const forms = bare.flatMap((text) => {
    const bytes = Buffer.from(text)
    const base64 = bytes.toString('base64').replace(/=+$/, '')
    const hex = bytes.toString('hex')
    const encoded = encodeURIComponent(text)
    return [text, base64, bytes.toString('base64url'), hex, hex.toUpperCase(), encoded, encoded.replaceAll('%20', '+')]
  })
  const long = [...new Set(forms)].filter(({ length }) => length >= shortestTrace)
  return long.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1))
}

/**
 * What the policy allows for the sake of grants: their hosts, at their ports, for the paths that are needed. Each has path rules, for
 * only with such is a tunnel opened. They come after all others, so that a `deny` of the user's stays one.
 */
export function networkRulesOf(injections: readonly Injection[], mode: 'permissive' | 'strict'): NetworkRule[] {
  const rules: NetworkRule[] = []
  for (const { grant, hosts, paths = ['/**'], ports, profile } of injections) {
    const place = `grant ${formatGrant({ name: grant, profile })}`
    for (const host of hosts) {
      for (const port of ports) {
        const known = rules.find((rule) => rule.host === host && rule.port === port)
        const allowed = paths.map((path): PathRule => ({ effect: 'allow', method: '*', path }))
        if (known?.paths) known.paths.push(...allowed)
        else rules.push({ effect: 'allow', host, paths: allowed, place, port, text: `${host}:${port}` })
      }
    }
  }
  // What is not denied is allowed there: only opened, so that the value can be put in.
  if (mode === 'permissive') for (const { paths } of rules) paths?.push({ effect: 'allow', method: '*', path: '/**' })
  return rules
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
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(secret, name) ? (secret[name] ?? '') : whole,
  )
}
