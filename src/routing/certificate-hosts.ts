// Owns which names the proxy has certificates for. Pure.
import { defaultDomain } from './urls.js'

/**
 * The names that certificates are made for: the domain, `localhost`, the hosts that are answered, and the bare hosts of their agents,
 * which have a page of the proxy's even when no single endpoint has them. Sorted, each once.
 */
export function certificateHosts(hosts: readonly string[], domain: string): string[] {
  return [...new Set([defaultDomain, domain, ...hosts.flatMap(withBareHost)])].toSorted()
}

/** A host, and what is left of it without its first label. */
export function withBareHost(host: string): string[] {
  return [host, host.slice(host.indexOf('.') + 1)]
}
