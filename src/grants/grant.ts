// Owns what a grant is once it has been made, and what of it is told to whom. Pure.
import type { NetworkRule, PathRule, PolicyMode } from '../egress/policy.js'
import type { SshAccess } from '../ssh/access.js'
import { fingerprint } from '../ssh/public-key.js'
import { formatGrant, type GrantName, type Injection, type Placement } from './injection.js'
import type { GrantProvider, ProviderRule } from './provider.js'

/** Where the value is when it is wanted. */
export type GrantSource =
  | { command: string; kind: 'command' }
  | { kind: 'env'; variable: string }
  | { kind: 'file'; path: string }
  | { kind: 'op'; reference: string }
  | { access: SshAccess; kind: 'ssh' }
  | { fields: Record<string, string>; kind: 'value' }

/**
 * What is stored. The provider is in it as it was when the user granted: whoever changes a file of providers later, or publishes
 * another version of a plugin, cannot have the value sent elsewhere.
 */
export interface Grant extends GrantName {
  /** ISO 8601. */
  createdAt: string
  /** With `host` and `scope` filled in. */
  provider: GrantProvider
  source: GrantSource
  /** As in grantWords; absent where moat did not write them down yet. */
  words?: string[]
}

/** What `moat grant list` and `show` print: nothing of the value. */
export interface GrantView {
  createdAt: string
  hosts: string[]
  name: string
  profile: string
  provider: string
  /** In words: `stored`, `command: gh auth token`. */
  source: string
}

export function viewGrant({ createdAt, name, profile, provider, source }: Grant): GrantView {
  return {
    createdAt,
    hosts: source.kind === 'ssh' ? [`${source.access.host}:${source.access.port}`] : grantedHosts(provider),
    name,
    profile,
    provider: provider.name,
    source: describeSource(source),
  }
}

/** The same with what is put where. */
export interface GrantDetails extends GrantView {
  /** Variables, files and settings of the container. */
  container: string[]
  /** In words, one for each thing that is set. */
  rules: string[]
}

export function detailsOf(grant: Grant): GrantDetails {
  const { container: { env = {}, files = {}, git = {} } = {}, inject } = grant.provider
  if (grant.source.kind === 'ssh')
    return { ...viewGrant(grant), container: [], rules: describeAccess(grant.source.access) }
  return {
    ...viewGrant(grant),
    container: [...Object.keys(env), ...Object.keys(files), ...Object.keys(git)],
    rules: inject.flatMap((rule) => {
      const where = `${rule.hosts.join(', ')}${rule.paths ? ` ${rule.paths.join(' ')}` : ''}`
      return placementsOf(rule).map((place) => `${describePlacement(place)} for ${where}`)
    }),
  }
}

function describePlacement(place: Placement): string {
  if (place.kind === 'basic') return `the password of ${place.username}`
  return place.kind === 'header' ? `the header ${place.name}: ${place.value}` : `?${place.name}=${place.value}`
}

function describeSource(source: GrantSource): string {
  if (source.kind === 'command') return `command: ${source.command}`
  if (source.kind === 'env') return `variable ${source.variable}`
  if (source.kind === 'file') return `file ${source.path}`
  if (source.kind === 'ssh') return describeKeys(source.access)
  return source.kind === 'op' ? source.reference : 'stored'
}

function describeKeys({ agentSocket, keys }: SshAccess): string {
  const agent = agentSocket === undefined ? 'in your ssh agent' : `in the agent at ${agentSocket}`
  return keys.map(({ blob, file }) => `${fingerprint(blob)} ${file === undefined ? agent : `in ${file}`}`).join(', ')
}

function describeAccess({ confirm, host, hostKeys, port, signs }: SshAccess): string[] {
  return [
    `logins at ${host}, port ${port}, where the host has the key ${hostKeys.map(fingerprint).join(' or ')}`,
    ...(signs ? ['signatures of commits'] : []),
    ...(confirm ? ['each once you have been asked'] : []),
  ]
}

/** Hosts that get the value; with their ports where these are not 443. */
export function grantedHosts({ inject }: Pick<GrantProvider, 'inject'>): string[] {
  const all = inject.flatMap(({ hosts, ports = [443] }) =>
    hosts.flatMap((host) => ports.map((port) => (port === 443 ? host : `${host}:${port}`))),
  )
  return [...new Set(all)]
}

export function injectionsOf({ name, profile, provider }: Pick<Grant, 'name' | 'profile' | 'provider'>): Injection[] {
  return provider.inject.map((rule) => ({
    grant: name,
    hosts: rule.hosts,
    ...(rule.paths && { paths: rule.paths }),
    place: placementsOf(rule),
    ports: rule.ports ?? [443],
    profile,
    remove: (rule.remove ?? []).map((header) => header.toLowerCase()),
    removeQuery: rule.removeQuery ?? [],
  }))
}

/**
 * What a policy has for the sake of a grant, after all other rules, so that a `deny` of the user's stays one: its hosts are opened,
 * and under a strict policy what is needed there is allowed.
 */
export function grantRules(
  grant: Pick<Grant, 'name' | 'profile' | 'provider'> & Partial<Pick<Grant, 'source'>>,
  policy: PolicyMode,
): NetworkRule[] {
  const rules: NetworkRule[] = []
  const name = formatGrant(grant)
  const place = `grant ${name}`
  if (grant.source?.kind === 'ssh') {
    const { host, port } = grant.source.access
    return [{ effect: 'allow', grant: name, host, place, port, text: `${host}:${port}` }]
  }
  for (const { hosts, paths = ['/**'], ports } of injectionsOf(grant)) {
    const allowed = policy === 'permissive' ? ['/**'] : paths
    const lines = allowed.map((path): PathRule => ({ effect: 'allow', method: '*', path, place }))
    for (const [host, port] of hosts.flatMap((one) => ports.map((number): [string, number] => [one, number]))) {
      const known = rules.find((rule) => rule.host === host && rule.port === port)
      if (!known) rules.push({ effect: 'allow', grant: name, host, paths: [...lines], place, port, text: host })
      else if (policy === 'strict') known.paths?.push(...lines)
    }
  }
  if (policy === 'permissive') return rules
  // Without a value, and so without being opened.
  const others = (grant.provider.allow ?? []).map(
    (host): NetworkRule => ({
      effect: 'allow',
      grant: name,
      host,
      place,
      text: host,
    }),
  )
  return [...rules, ...others]
}

function placementsOf({ basic, headers = {}, query = {} }: ProviderRule): Placement[] {
  return [
    ...(basic === undefined ? [] : [{ kind: 'basic' as const, username: basic }]),
    ...Object.entries(headers).map(([name, value]) => ({ kind: 'header' as const, name, value })),
    ...Object.entries(query).map(([name, value]) => ({ kind: 'query' as const, name, value })),
  ]
}
