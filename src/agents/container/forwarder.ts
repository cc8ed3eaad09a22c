// Owns what the forwarder does in an agent's container. It is the container's entrypoint, listens, and becomes the agent's
// program; a part of it stays behind and hands connections on, both ways:
//
// - in: the proxy reaches the agent's servers by sockets in a directory that only this container shares with it. Where the
//   engine runs in a virtual machine, sockets do not cross into it, and published ports lead to the forwarder instead.
// - to the world: where a policy says what the agent may reach, a port leads to the gate; see way-to-world.ts.
// - out: names below `localhost` lead to the container's own loopback, so that is where the agent's own URLs are answered, on
//   the proxy's port: connections are handed on to a socket of the proxy, which only this container has.
import { basename, posix } from 'node:path'
import { agentDirectory, agentSocket, type MoatPaths, wayInDirectory } from '../../config/paths.js'
import { forwarderName, installForwarder } from '../../doors/install-forwarder.js'
import { isOpen, openNetwork } from '../../egress/effective-policy.js'
import type { NetworkPolicy } from '../../egress/policy.js'
import type { ContainerSpec, Engine } from '../../engine/engine.js'
import type { ImageFacts } from '../../engine/files.js'
import type { Agent, Endpoint, RouteFragment } from '../../routing/agent.js'
import { declaredPorts } from '../../routing/declared-ports.js'
import { agentHost, endpointHost, listenPorts, type ProxyAddress } from '../../routing/urls.js'
import type { PlannedService } from '../../services/plan-services.js'
import { notEnforced } from '../plan/assert-network.js'
import { assertReached } from '../plan/assert-services.js'
import type { ChosenPort } from '../plan/choose-ports.js'
import { noDiscovery, sealedOff } from '../plan/discovery.js'
import { hasUrls } from '../plan/plan-agent.js'
import { chooseRelays } from './choose-relays.js'
import { planWayToWorld } from './way-to-world.js'

/** Where the directory is in the container. */
export const mountPoint = '/run/moat'
/** Containers under engines in virtual machines find the user's machine by this name. */
const hostName = 'host.docker.internal'
const loopback = '127.0.0.1'
/** Ports below are root's, unless a container says otherwise. */
const firstOrdinaryPort = 1_024

export interface ForwarderOptions {
  address: ProxyAddress
  engine: Pick<Engine, 'sharesSockets'>
  image: ImageFacts
  note(line: string): void
  paths: Pick<MoatPaths, 'agents' | 'publicCertificate'>
  /** Hosts of other agents that it may reach, as far as they are known. */
  peerHosts?: readonly string[]
  runId: string
}

interface ForwardedAgent {
  command: string[] | undefined
  container?: { runtime?: string }
  discoverPlace?: string
  displayFile?: string
  endpoints: readonly Pick<Endpoint, 'name' | 'port' | 'readiness' | 'url'>[]
  env?: Readonly<Record<string, string>>
  name: string
  network?: NetworkPolicy
  /** Container ports that the proxy, or with a `hostPort` anybody on this machine, is to reach. */
  ports: readonly ChosenPort[]
  routes?: RouteFragment[]
  /** What runs beside it. */
  services?: readonly PlannedService[]
}

export interface Forwarder {
  /** What tools are told of the way to the world; empty where nothing is in it. */
  env: Record<string, string>
  /** What the labels say of it. */
  labels: Pick<Agent, 'discover' | 'forwards' | 'relays' | 'wayIn'>
  mounts: ContainerSpec['mounts']
  /** The proxy's ports that it listens on. */
  ports: number[]
  /** What of the container it decides. */
  spec: Pick<ContainerSpec, 'command' | 'hosts' | 'ports' | 'unprivilegedPortStart'> & { entrypoint: string[] }
}

/** Undefined, once that has been said, where it cannot be. Makes the run's directory, which the caller removes if no container comes of it. */
export async function planForwarder(agent: ForwardedAgent, options: ForwarderOptions): Promise<Forwarder | undefined> {
  const { engine, image, paths, runId } = options
  const command = agent.command ?? image.command
  // A container without a program is for the engine to refuse.
  const { network = openNetwork, services = [] } = agent
  const isNeeded = hasUrls(agent) || !isOpen(network) || services.length > 0
  if (!isNeeded || image.entrypoint.length + command.length === 0) return undefined
  const reason = await installForwarder(paths, runId, image.architecture)
  if (reason !== undefined) {
    if (!isOpen(network)) throw notEnforced({ displayFile: '', ...agent, network }, reason)
    assertReached(services, reason)
    if (agent.discoverPlace !== undefined) throw noDiscovery(agent.discoverPlace, reason)
    options.note(`Inside its container, the URLs of ${agent.name} will not answer: ${reason}.`)
    return undefined
  }
  const { runtime } = agent.container ?? {}
  const bySockets = await engine.sharesSockets(runtime)
  // What leads in goes by ports then; nothing of the user's machine is where a container's own network leads out.
  const isSealedOff = !bySockets && (await engine.sharesSockets())
  if (isSealedOff)
    options.note(`Inside its container, the URLs of ${agent.name} will not answer: ${sealedOff(runtime)}.`)
  const out = isSealedOff ? nothing : planWayOut(agent, options, bySockets)
  const world = isOpen(network)
    ? undefined
    : await planWayToWorld(network, {
        ...options,
        domain: options.address.domain,
        mountPoint,
        taken: [
          ...[...out.ports, ...services.map(({ port }) => port)],
          ...declaredPorts({ routes: [], ...agent, published: {} }),
        ],
        userEnv: agent.env ?? {},
      })
  const beside = wayToServices(services)
  const own = [...out.ports, ...(world?.ports ?? []), ...beside.ports]
  const way = planWayIn(agent, own, bySockets)
  const directory = agentDirectory(paths, runId)
  const writable = { readOnly: false, source: wayInDirectory(paths, runId), target: `${mountPoint}/in` }
  return {
    env: world?.env ?? {},
    labels: { ...(out.ports.length > 0 && { forwards: out.ports }), ...way.labels },
    mounts: [
      { readOnly: true, source: directory, target: mountPoint },
      ...(bySockets ? [writable] : []),
      ...(world?.mounts ?? []),
    ],
    ports: out.ports,
    spec: {
      command,
      entrypoint: [
        `${mountPoint}/${forwarderName}`,
        ...out.flags,
        ...(world?.flags ?? []),
        ...beside.flags,
        ...way.flags,
        '--',
        ...image.entrypoint,
      ],
      hosts: [...out.hosts, ...beside.hosts],
      ports: way.ports,
      ...(own.some((port) => port < firstOrdinaryPort) && { unprivilegedPortStart: 0 }),
    },
  }
}

/** The way out of a container in which its own URLs do not answer. */
const nothing: { flags: string[]; hosts: { address: string; name: string }[]; ports: number[] } = {
  flags: [],
  hosts: [],
  ports: [],
}

/** How its own URLs answer in the container; nothing, once that has been said, where they cannot. */
function planWayOut(
  agent: ForwardedAgent,
  { address, note, paths, peerHosts = [], runId }: ForwarderOptions,
  bySockets: boolean,
) {
  const names = agent.endpoints.filter(({ url }) => url === undefined).map(({ name }) => name)
  const ports = listenPorts(address.port)
  const taken = agent.endpoints.find(({ port }) => port !== undefined && ports.includes(port))
  if (taken) {
    const why = `there, port ${taken.port} is its endpoint ${taken.name}, not the proxy`
    note(
      `Inside its container, the URLs of ${agent.name} will not answer: ${why} (proxy.port in config.yaml gives the proxy another).`,
    )
  }
  const peers = agent.network?.peers ?? []
  if (taken || (names.length === 0 && agent.discoverPlace === undefined && peers.length === 0)) return nothing
  const socket = posix.join(mountPoint, basename(agentSocket(paths, runId)))
  const endpointHosts = names.map((name) => endpointHost(agent.name, name, address.domain))
  return {
    flags: [
      ...ports.flatMap((port) => ['--port', `${port}`]),
      '--socket',
      socket,
      ...(bySockets ? [] : ['--host', hostName]),
    ],
    // curl and browsers know where these lead; what asks the system, Node and Python for two, does not.
    hosts: [agentHost(agent.name, address.domain), ...endpointHosts, ...peerHosts].map((name) => ({
      address: loopback,
      name,
    })),
    ports,
  }
}

/** Each has a socket in a directory of its own, among those that the agent's container sees of its run. */
function wayToServices(services: readonly PlannedService[]) {
  return {
    flags: services.flatMap(({ known, name, port }) => [
      '--lead',
      `${port}=${posix.join(mountPoint, 'services', name, `${known.port}`)}`,
    ]),
    hosts: services.map(({ name }) => ({ address: loopback, name })),
    ports: services.map(({ port }) => port),
  }
}

/** `own` are the ports of the container on which the forwarder listens for the way out. */
function planWayIn(
  { discoverPlace, endpoints, ports, routes = [] }: ForwardedAgent,
  own: readonly number[],
  bySockets: boolean,
) {
  const probed = endpoints.flatMap(({ readiness }) => (readiness?.kind === 'tcp' ? [readiness.port] : []))
  const declared = declaredPorts({ endpoints, published: {}, routes })
  // What is served has its sockets from the beginning, so of a port that no label tells of it would seem that something listens.
  const isTold = ({ hostPort, port }: ChosenPort) =>
    discoverPlace === undefined || hostPort !== undefined || declared.has(port)
  const served = [...new Set([...ports.filter(isTold).map(({ port }) => port), ...probed])]
  // What anybody on this machine may reach has a port here in any case.
  const published = bySockets ? ports.filter(({ hostPort }) => hostPort !== undefined) : ports
  const relays = chooseRelays(published, [...own, ...served])
  const relayOf = (port: number) => [...relays].find(([, server]) => server === port)?.[0] ?? port
  return {
    flags: [
      ...(bySockets ? ['--in', `${mountPoint}/in`, ...served.flatMap((port) => ['--serve', `${port}`])] : []),
      ...[...relays].flatMap(([relay, server]) => ['--publish', `${relay}=${server}`]),
      ...(discoverPlace === undefined ? [] : ['--discover']),
    ],
    labels: {
      ...(discoverPlace !== undefined && { discover: true as const }),
      ...(bySockets && { wayIn: 'sockets' as const }),
      ...(relays.size > 0 && { relays: Object.fromEntries(relays) as Record<number, number> }),
    },
    ports: published.map(({ port, ...chosen }) => ({ ...chosen, port: relayOf(port) })),
  }
}
