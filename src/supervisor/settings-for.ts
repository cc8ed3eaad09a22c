// Owns what of a Caddy's config is not routes, from where it listens and what the Caddy before it was told. Pure.
import type { CaddySettings } from '../caddy/caddy-settings.js'
import type { MoatPaths } from '../config/paths.js'

export type BoundSettings = Pick<CaddySettings, 'listeners' | 'names' | 'port'>

export interface SettingsOptions {
  /** Of the Caddy before. */
  before: Pick<CaddySettings, 'connections' | 'recorded'> | undefined
  domain: string
  paths: MoatPaths
  /** Absent for a Caddy that cannot tell plain HTTP from TLS. */
  plain: string | undefined
}

export function settingsFor(bound: BoundSettings, { before, domain, paths, plain }: SettingsOptions): CaddySettings {
  const { accessSocket, adminSocket, caCertificate, caKey, caddyStorage, filesSocket, inside, pagesSocket } = paths
  const sockets = { accessSocket, adminSocket, filesSocket, inside, pagesSocket, ...(plain !== undefined && { plain }) }
  // A new process goes on reporting what somebody watches.
  const { connections = 0, recorded = [] } = before ?? {}
  const directories = { proxy: paths.proxy, storage: caddyStorage }
  return { ...bound, ...sockets, ...directories, caCertificate, caKey, connections, domain, recorded }
}
