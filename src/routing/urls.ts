// Owns every host name and URL moat prints or injects: run, list, status, env variables and pages all ask here.

import type { Endpoint } from './agent.js'

/** Where the proxy is: what every URL of it ends in, and its port. The two belong together, so they go together. */
export interface ProxyAddress {
  /** `proxy.domain` in config.yaml. */
  domain: string
  port: number
}

export const defaultDomain = 'localhost'

/** Ports on which a URL carries no port, because the proxy then listens on both 80 and 443. */
const wellKnownPorts = new Set([80, 443])

export function agentHost(agent: string, domain: string): string {
  return `${agent}.${domain}`
}

export function endpointHost(agent: string, endpoint: string, domain: string): string {
  return `${endpoint}.${agentHost(agent, domain)}`
}

/** Patterns for the hosts below the domain that an agent could have; a `*` is one label. */
export function agentHostPatterns(domain: string): string[] {
  return [`*.${domain}`, `*.*.${domain}`]
}

/** True for the domain itself and for every name below it. */
export function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

/** `host` or `host:port` as it stands in a URL of this proxy. */
export function authorityOf(host: string, proxyPort: number): string {
  return wellKnownPorts.has(proxyPort) ? host : `${host}:${proxyPort}`
}

/** The URL of an endpoint, e.g. `https://web.dark-mode.localhost:8080`. */
export function endpointUrl(agent: string, endpoint: string, { domain, port }: ProxyAddress): string {
  return `https://${authorityOf(endpointHost(agent, endpoint, domain), port)}`
}

/** The URL of an agent as a whole, e.g. `https://dark-mode.localhost:8080`. */
export function agentUrl(agent: string, { domain, port }: ProxyAddress): string {
  return `https://${authorityOf(agentHost(agent, domain), port)}`
}

/** The URL of the index of all agents, e.g. `https://localhost:8080`. */
export function indexUrl({ domain, port }: ProxyAddress): string {
  return `https://${authorityOf(domain, port)}`
}

/** The path on every host that is the proxy's own, never an agent's. */
export const ownPath = '/_moat/'

/** The ports the proxy listens on when it is asked for `port`: both well-known ones, or just the one. */
export function listenPorts(port: number): number[] {
  return wellKnownPorts.has(port) ? [443, 80] : [port]
}

/** The one of them to shake hands on. */
export function handshakePort(port: number): number {
  return Math.max(...listenPorts(port))
}

/** Where an endpoint is reached: through the proxy, or at the address its type gave it. */
export function urlOf(agent: string, { name, url }: Pick<Endpoint, 'name' | 'url'>, address: ProxyAddress): string {
  return url ?? endpointUrl(agent, name, address)
}

/**
 * The `MOAT_URL*`, `MOAT_HTTPS_URL*`, `MOAT_ORIGIN*` and `MOAT_HOST*` variables inside the agent's container. `MOAT_URL*` of the
 * proxy say `http://`, which it answers there as such; people have the others before them. With `bare`, an agent without
 * endpoints has its own address too.
 */
export function urlEnvironment(
  agent: string,
  endpoints: readonly Pick<Endpoint, 'name' | 'url'>[],
  { domain, port }: ProxyAddress,
  { bare = false } = {},
): Record<string, string> {
  const environment: Record<string, string> = {}
  const addProxied = (suffix: string, host: string) => {
    const authority = authorityOf(host, port)
    environment[`MOAT_URL${suffix}`] = `http://${authority}`
    environment[`MOAT_HTTPS_URL${suffix}`] = `https://${authority}`
    environment[`MOAT_ORIGIN${suffix}`] = `https://${authority}`
    environment[`MOAT_HOST${suffix}`] = authority
  }
  if (bare || endpoints.some(({ url }) => url === undefined)) addProxied('', agentHost(agent, domain))
  for (const { name, url } of endpoints) {
    const suffix = `_${name.toUpperCase().replaceAll('-', '_')}`
    if (url === undefined) addProxied(suffix, endpointHost(agent, name, domain))
    else Object.assign(environment, typedUrl(suffix, url))
  }
  return environment
}

/** Of an address that its type gave: that of a database is of no origin. */
function typedUrl(suffix: string, url: string): Record<string, string> {
  const host = url.replace(/^[a-z0-9+.-]+:\/\//i, '').replace(/[/?#].*$/s, '')
  const { origin, protocol } = URL.parse(url) ?? {}
  const web = protocol === 'https:' || protocol === 'http:'
  return {
    [`MOAT_URL${suffix}`]: url,
    [`MOAT_HOST${suffix}`]: host,
    ...(protocol === 'https:' && { [`MOAT_HTTPS_URL${suffix}`]: url }),
    ...(web && origin !== undefined && { [`MOAT_ORIGIN${suffix}`]: origin }),
  }
}
