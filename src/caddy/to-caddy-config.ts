// Owns Caddy's whole config: a pure function of settings and routes. caddy/README.md explains its shape.
import type { RouteTable } from '../routing/route-table.js'
import type { CaddySettings, NamesSettings } from './caddy-settings.js'
import { certificates } from './certificates.js'
import { egressAuthority } from './egress-certificates.js'
import { egressAuthorityName } from './egress-settings.js'
import { logging } from './request-log.js'
import { servers } from './servers.js'

/** JSON as Caddy reads it. */
export type CaddyConfig = Record<string, unknown>

/** The config that serves these routes, the same for any order of theirs. */
export function toCaddyConfig(settings: CaddySettings, table: RouteTable): CaddyConfig {
  return {
    admin: { config: { persist: false }, listen: `unix/${settings.adminSocket}|0600` },
    apps: {
      http: {
        // Without it, a stop waits for ever on an open event stream.
        grace_period: '2s',
        // Nothing listens on it for us; a supervisor that adopts this Caddy reads the port from here.
        https_port: settings.port,
        // What the dashboard counts with; it costs about 5 % of the CPU. Caddy counts every host by itself where it speaks
        // TLS, whether a matcher names it or not.
        metrics: { ...(settings.plain !== undefined && { observe_catchall_hosts: true }), per_host: true },
        servers: servers(settings, table),
      },
      pki: authorityConfig(settings, egressAuthority(settings.egress)),
      tls: certificates(settings),
    },
    logging: logging(settings),
    storage: { module: 'file_system', root: settings.storage },
  }
}

/** The authority that signs for the proxy's own hosts. */
export function authorityConfig(
  { caCertificate, caKey }: Pick<CaddySettings, 'caCertificate' | 'caKey'>,
  others: Record<string, object> = {},
): CaddyConfig {
  return {
    certificate_authorities: {
      ...others,
      local: {
        install_trust: false,
        intermediate_lifetime: '8760h',
        root: { certificate: caCertificate, format: 'pem_file', private_key: caKey },
      },
    },
  }
}

/**
 * The config to push before `config` so that Caddy forgets every certificate it has in memory of these hosts. Caddy drops
 * certificates that a config managed and the next does not; what is made at first use it never drops.
 */
export function forgetfulConfig(
  config: CaddyConfig,
  hosts: readonly string[],
  openedHosts: readonly string[] = [],
): CaddyConfig {
  const forgetful = structuredClone(config)
  const policies = at(forgetful, ['apps', 'tls', 'automation', 'policies']) as Record<string, unknown>[]
  const opened = policies.find((policy) => JSON.stringify(policy.issuers).includes(`"${egressAuthorityName}"`))
  const named = [
    ...(hosts.length > 0 ? [{ ...policies.at(-1), subjects: [...new Set(hosts)] }] : []),
    ...(opened && openedHosts.length > 0 ? [{ ...opened, subjects: [...new Set(openedHosts)] }] : []),
  ]
  const subjects = named.flatMap((policy) => policy.subjects)
  // Caddy refuses a config in which two policies name one subject.
  const rest = policies
    .map((policy) => ({ ...policy, ...without(policy.subjects, subjects) }))
    .filter((policy) => !('subjects' in policy) || policy.subjects.length > 0)
  Object.assign(at(forgetful, ['apps', 'tls']) as object, { certificates: { automate: subjects } })
  Object.assign(at(forgetful, ['apps', 'tls', 'automation']) as object, { policies: [...named, ...rest] })
  return forgetful
}

function without(subjects: unknown, taken: readonly string[]) {
  return Array.isArray(subjects) ? { subjects: subjects.filter((subject) => !taken.includes(subject)) } : {}
}

/** The port of a config made here; undefined for one that was not. */
export function portOf(config: CaddyConfig): number | undefined {
  const port = at(config, ['apps', 'http', 'https_port'])
  return typeof port === 'number' ? port : undefined
}

/** The domain of a config made here. */
export function domainOf(config: CaddyConfig): string | undefined {
  const domain = at(config, ['apps', 'http', 'servers', 'inside', 'tls_connection_policies', '0', 'fallback_sni'])
  return typeof domain === 'string' ? domain : undefined
}

/** The inherited listeners of a config made here. */
export function listenersOf(config: CaddyConfig): string[] {
  const listeners = at(config, ['apps', 'http', 'servers', 'moat', 'listen'])
  return Array.isArray(listeners) ? listeners.map(String).filter((listener) => listener.startsWith('fd/')) : []
}

/** The socket for plain HTTP of a config made here; undefined for that of a Caddy without layer4. */
export function plainOf(config: CaddyConfig): string | undefined {
  const socket = at(config, ['apps', 'http', 'servers', 'plain', 'listen', '0'])
  return typeof socket === 'string' ? /^unix\/(.*)\|0600$/.exec(socket)?.[1] : undefined
}

/** The `connections` of a config made here. */
export function connectionsOf(config: CaddyConfig): number {
  const [, number] = /"moat_connections":"(\d+)"/.exec(JSON.stringify(config)) ?? []
  return Number(number ?? 0)
}

/** Where a config made here asks about names; undefined for one of an earlier moat, which did not ask. */
export function namesOf(config: CaddyConfig): NamesSettings | undefined {
  const listener = at(config, ['apps', 'http', 'servers', 'names', 'listen', '0'])
  const endpoint = at(config, ['apps', 'tls', 'automation', 'on_demand', 'permission', 'endpoint'])
  const [, port, secret] = /^http:\/\/127\.0\.0\.1:(\d+)\/([0-9a-f]+)\//.exec(String(endpoint)) ?? []
  if (typeof listener !== 'string' || port === undefined || secret === undefined) return undefined
  return { listener, port: Number(port), secret }
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)
}
