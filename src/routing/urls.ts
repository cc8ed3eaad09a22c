// Owns every host name and URL moat prints or injects: run, list, status, env variables and pages all ask here.

import type { Endpoint } from './agent.js'

export const defaultDomain = 'localhost'

/** Ports on which a URL carries no port, because the proxy then listens on both 80 and 443. */
const wellKnownPorts = new Set([80, 443])

export function agentHost(agent: string): string {
  return `${agent}.${defaultDomain}`
}

export function endpointHost(agent: string, endpoint: string): string {
  return `${endpoint}.${agentHost(agent)}`
}

/** `host` or `host:port` as it stands in a URL of this proxy. */
export function authorityOf(host: string, proxyPort: number): string {
  return wellKnownPorts.has(proxyPort) ? host : `${host}:${proxyPort}`
}

/** The URL of an endpoint, e.g. `https://web.dark-mode.localhost:8080`. */
export function endpointUrl(agent: string, endpoint: string, proxyPort: number): string {
  return `https://${authorityOf(endpointHost(agent, endpoint), proxyPort)}`
}

/** The URL of an agent as a whole, e.g. `https://dark-mode.localhost:8080`. */
export function agentUrl(agent: string, proxyPort: number): string {
  return `https://${authorityOf(agentHost(agent), proxyPort)}`
}

/** The URL of the index of all agents, e.g. `https://localhost:8080`. */
export function indexUrl(proxyPort: number): string {
  return `https://${authorityOf(defaultDomain, proxyPort)}`
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
export function urlOf(agent: string, { name, url }: Pick<Endpoint, 'name' | 'url'>, proxyPort: number): string {
  return url ?? endpointUrl(agent, name, proxyPort)
}

/**
 * The `MOAT_URL*` and `MOAT_HOST*` variables inside the agent's container. Those of the proxy say `http://`: it answers
 * both schemes on its port, redirecting http to https.
 */
export function urlEnvironment(
  agent: string,
  endpoints: readonly Pick<Endpoint, 'name' | 'url'>[],
  proxyPort: number,
): Record<string, string> {
  const environment: Record<string, string> = {}
  const add = (suffix: string, url: string) => {
    environment[`MOAT_URL${suffix}`] = url
    environment[`MOAT_HOST${suffix}`] = url.replace(/^[a-z0-9+.-]+:\/\//i, '').replace(/[/?#].*$/s, '')
  }
  const proxied = (host: string) => `http://${authorityOf(host, proxyPort)}`
  if (endpoints.some(({ url }) => url === undefined)) add('', proxied(agentHost(agent)))
  for (const { name, url } of endpoints) {
    add(`_${name.toUpperCase().replaceAll('-', '_')}`, url ?? proxied(endpointHost(agent, name)))
  }
  return environment
}
