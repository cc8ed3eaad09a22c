// Owns which services an agent will have: what moat.yaml declares, and what moat knows of each. Pure.
import type { LoadedMoatYaml } from '../config/moat-yaml.js'
import type { DeclaredService } from '../config/services-schema.js'
import { exitCodes, MoatError } from '../errors.js'
import { nearestName } from '../routing/nearest-name.js'
import { type KnownService, knownServices } from './catalogue.js'

/** A service as a run will have it. */
export interface PlannedService {
  /** For its container; what moat.yaml says. */
  env: Record<string, string>
  image: string
  known: KnownService
  /** MiB; default: what the agent may use. */
  memory?: number
  name: string
  /** Where moat.yaml declares it. */
  place: string
  /** In the agent's container. */
  port: number
  /** False when the agent does not wait until it is ready. */
  wait: boolean
}

/** In the order of moat.yaml. Throws one CONFIG_INVALID for those that moat does not know. */
export function planServices({
  config: { services },
  locate,
  reject,
}: Pick<LoadedMoatYaml, 'config' | 'locate' | 'reject'>): PlannedService[] {
  // What moat knows is read and judged for those who have some.
  if (services.length === 0) return []
  const all = knownServices()
  const unknown = services.filter(({ name }) => !all.has(name))
  if (unknown.length > 0) {
    const issues = unknown.map(({ name }) => ({
      code: 'custom',
      message: unknownService(name, [...all.keys()]),
      params: { at: 'key' },
      path: ['services', name],
    }))
    throw reject(issues, {})
  }
  return services.flatMap((declared) => {
    const known = all.get(declared.name)
    return known ? [toPlanned(declared, known, locate(['services', declared.name]))] : []
  })
}

function toPlanned(
  { env, image, memory, name, port, version, wait }: DeclaredService,
  known: KnownService,
  place: string,
): PlannedService {
  return {
    env,
    image: image ?? `${known.image}:${version ?? known.version}`,
    known,
    ...(memory !== undefined && { memory }),
    name,
    place,
    port: port ?? known.port,
    wait,
  }
}

function unknownService(name: string, all: readonly string[]): string {
  if (name === 'ollama')
    return `"ollama" is no service that moat knows: run it on this machine, and write network: {host: [11434]}`
  const nearest = nearestName(name, all)
  const hint = nearest === undefined ? `moat knows ${all.join(', ')}` : `did you mean "${nearest}"?`
  return `${JSON.stringify(name)} is no service that moat knows; ${hint}`
}

/** What else has ports in the agent's container. */
export interface PortUsers {
  endpoints: readonly { name: string; port?: number }[]
  network: { host: readonly number[] }
  ports: readonly { port: number }[]
  services: readonly PlannedService[]
}

/** Throws CONFIG_INVALID for the first service whose port in the agent's container is something else's. */
export function assertServicePorts({ endpoints, network, ports, services }: PortUsers): void {
  for (const [index, { name, place, port }] of services.entries()) {
    const other = services.slice(0, index).find((one) => one.port === port)
    if (other) throw taken(place, name, port, `the service ${other.name}`)
    const endpoint = endpoints.find((one) => one.port === port)
    if (endpoint) throw taken(place, name, port, `the endpoint ${endpoint.name}`)
    if (ports.some((one) => one.port === port)) throw taken(place, name, port, 'an endpoint')
    if (network.host.includes(port)) throw taken(place, name, port, 'a port of this machine, by network.host')
  }
}

/** The proxy's ports are known only once it runs. */
export function assertBesideProxy(services: readonly PlannedService[], proxyPorts: readonly number[]): void {
  const clash = services.find(({ port }) => proxyPorts.includes(port))
  if (clash) throw taken(clash.place, clash.name, clash.port, "the proxy, for the agent's own URLs")
}

function taken(place: string, name: string, port: number, who: string): MoatError {
  const message = `${place}: port ${port}, at which the agent reaches the service ${name}, is ${who} in its container.`
  return new MoatError('CONFIG_INVALID', message, {
    exit: exitCodes.usage,
    suggestions: [`give the service another port there, e.g. services: {${name}: {port: ${port + 1}}}`],
  })
}
