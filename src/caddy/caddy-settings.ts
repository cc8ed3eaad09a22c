// Owns what of Caddy's config is not routes.
import type { EgressSettings } from './egress-settings.js'

export interface CaddySettings {
  /** Path of the unix socket at which the supervisor hears of requests, while somebody watches. */
  accessSocket: string
  /** Path of the unix socket of the admin API. */
  adminSocket: string
  caCertificate: string
  caKey: string
  /** Another number has Caddy let go of the connections that it keeps to containers. */
  connections: number
  /** What URLs end in. */
  domain: string
  /** The way out; absent while nothing is opened for any agent. */
  egress?: EgressSettings
  /** Path of the unix socket at which the supervisor says which file of a workspace may be served. */
  filesSocket: string
  /** Paths of the unix sockets at which connections from inside containers arrive, by what they speak. */
  inside: { plain: string; tls: string }
  /** Inherited sockets, e.g. `fd/3`. */
  listeners: string[]
  /** Where Caddy asks itself about the names in handshakes. */
  names: NamesSettings
  /** Path of the unix socket at which the supervisor makes pages. */
  pagesSocket: string
  /**
   * Path of the unix socket at which what is plain HTTP on the proxy's port arrives. Absent for a Caddy that cannot tell it from TLS,
   * which redirects it.
   */
  plain?: string
  /** The port in URLs. */
  port: number
  /** The directory in which links are; see routing/way-in.ts. */
  proxy: string
  /** Hosts whose requests somebody watches. */
  recorded: readonly string[]
  /** Directory for certificates. */
  storage: string
}

export interface NamesSettings {
  /** An inherited socket. */
  listener: string
  /** Its port on 127.0.0.1. */
  port: number
  /** A part of the path that only Caddy and its supervisor know. */
  secret: string
}
