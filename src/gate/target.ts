// Owns where a request is to go, read from what clients write: strictly, for nobody else may read it otherwise. Pure.
import { canonicalHost } from '../egress/hosts.js'

export interface Target {
  /** In its one form. */
  host: string
  port: number
}

/** `host:port`, of CONNECT and of Host; `fallback` where it may stand without a port. Undefined for anything else. */
export function parseTarget(text: string, fallback?: number): Target | undefined {
  const [, name, digits] = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = name === undefined ? undefined : canonicalHost(name)
  const port = digits === undefined ? fallback : Number(digits)
  if (host === undefined || port === undefined || port < 1 || port > 65_535) return undefined
  return { host, port }
}

/** `http://host:port/path?query`, as a proxy is asked. Undefined for another scheme and for what is no such URI. */
export function parseAbsolute(text: string): { path: string; target: Target } | undefined {
  const [, authority = '', rest = ''] = /^http:\/\/([^/?#\\]+)([/?][^#]*)?$/i.exec(text) ?? []
  const target = parseTarget(authority, 80)
  if (!target) return undefined
  return { path: rest.startsWith('/') ? rest : `/${rest}`, target }
}

export function sameTarget(a: Target | undefined, b: Target): boolean {
  return a?.host === b.host && a.port === b.port
}
