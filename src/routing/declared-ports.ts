// Owns which container ports an agent's declared endpoints stand for, and what others are when something listens there. Pure.
import type { Agent, Endpoint } from './agent.js'
import { gatePort } from './gate-port.js'
import type { Listener } from './listening.js'
import { dialledPorts } from './route-table.js'

/** More than that nobody reads. */
const mostPorts = 64

/** An agent as far as its ports go. */
interface PortHolder extends Pick<Agent, 'published' | 'relays' | 'routes'> {
  endpoints: readonly Pick<Endpoint, 'discovered' | 'port' | 'readiness'>[]
}

/** Those of the endpoints that moat.yaml declares, and of what was published for them. */
export function declaredPorts({ endpoints, published, relays = {}, routes }: PortHolder): Set<number> {
  const ofEndpoints = endpoints.filter(({ discovered }) => !discovered)
  return new Set([
    ...ofEndpoints.flatMap(({ port, readiness }) =>
      [port ?? [], readiness?.kind === 'tcp' ? readiness.port : []].flat(),
    ),
    ...routes.filter(({ discovered }) => !discovered).flatMap(dialledPorts),
    ...Object.keys(published).map(Number),
    ...Object.values(relays),
  ])
}

/** What listens in the container but for moat's own forwarder, as far as the proxy can reach it. */
export function listenersOf(agent: Agent, listeners: readonly Listener[]): Listener[] {
  const { network, relays, wayIn } = agent
  const led = [...(agent.forwards ?? []), ...(agent.services ?? []).map(({ port }) => port)]
  const toWorld = network && [...network.host, gatePort([...led, ...declaredPorts(agent), ...network.host])]
  const own = [...led, ...(toWorld ?? [])]
  const isForwarder = ({ loopback, port }: Listener) => (loopback ? own.includes(port) : port in (relays ?? {}))
  // The forwarder reaches what only programs in the container do, and the proxy with it.
  const asSeen = (one: Listener) => (wayIn || relays ? { ...one, loopback: false } : one)
  return listeners.filter((one) => !isForwarder(one)).map(asSeen)
}

/** Ports on which something listens, and that have no URL: lowest first. `listeners` as from `listenersOf`. */
export function undeclaredPorts(agent: Agent, listeners: readonly Listener[]): number[] {
  if (agent.discover) return []
  const declared = declaredPorts(agent)
  const others = listeners.map(({ port }) => port).filter((port) => !declared.has(port))
  return [...new Set(others)].toSorted((a, b) => a - b).slice(0, mostPorts)
}

/** What a port that was discovered is as an endpoint. */
export function discoveredEndpoint(port: number): Endpoint {
  return { discovered: true, name: `${port}`, port, type: 'http' }
}

/** The port that is the name of an endpoint, if it could be one that is discovered. */
export function portNamed(name: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(name) && Number(name) <= 65_535 ? Number(name) : undefined
}
