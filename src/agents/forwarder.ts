// Owns how an agent's own URLs answer inside its container. Names below `localhost` lead to the container's own loopback
// there, so that is where moat's forwarder listens, on the proxy's port; it hands connections on to a socket of the proxy
// in a directory that only this container has. It is the container's entrypoint, and becomes the agent's program.
import { constants } from 'node:fs'
import { access, chmod, copyFile } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentDirectory, agentSocket, type MoatPaths } from '../config/paths.js'
import type { ContainerSpec, Engine } from '../engine/engine.js'
import type { ImageFacts } from '../engine/files.js'
import { systemCode } from '../errors.js'
import type { Endpoint } from '../routing/agent.js'
import { agentHost, endpointHost, listenPorts, type ProxyAddress } from '../routing/urls.js'
import { makeAgentDirectory, removeAgentDirectory } from '../supervisor/agent-directories.js'

/** Where the directory is in the container. */
const mountPoint = '/run/moat'
const program = 'forward'
const programs = fileURLToPath(new URL('../../forwarder', import.meta.url))
/** Containers under engines in virtual machines find the user's machine by this name. */
const hostName = 'host.docker.internal'
const loopback = '127.0.0.1'
/** Ports below are root's, unless a container says otherwise. */
const firstOrdinaryPort = 1_024

export interface ForwarderOptions {
  address: ProxyAddress
  engine: Pick<Engine, 'isVirtual'>
  image: ImageFacts
  note(line: string): void
  paths: Pick<MoatPaths, 'agents'>
  runId: string
}

interface ForwardedAgent {
  command: string[] | undefined
  endpoints: readonly Pick<Endpoint, 'name' | 'port' | 'url'>[]
  name: string
}

export interface Forwarder {
  /** The proxy's ports that it listens on. */
  ports: number[]
  /** What of the container it decides. */
  spec: Pick<ContainerSpec, 'command' | 'hosts' | 'unprivilegedPortStart'> & { entrypoint: string[] }
  mount: ContainerSpec['mounts'][number]
}

/** Undefined, once that has been said, where it cannot be. Makes the run's directory, which the caller removes if no container comes of it. */
export async function planForwarder(agent: ForwardedAgent, options: ForwarderOptions): Promise<Forwarder | undefined> {
  const { address, engine, image, note, paths, runId } = options
  const names = agent.endpoints.filter(({ url }) => url === undefined).map(({ name }) => name)
  const command = agent.command ?? image.command
  // A container without a program is for the engine to refuse.
  if (names.length === 0 || image.entrypoint.length + command.length === 0) return undefined
  const sayNot = (why: string) => {
    note(`Inside its container, the URLs of ${agent.name} will not answer: ${why}.`)
    return undefined
  }
  const ports = listenPorts(address.port)
  const taken = agent.endpoints.find(({ port }) => port !== undefined && ports.includes(port))
  if (taken)
    return sayNot(
      `there, port ${taken.port} is its endpoint ${taken.name}, not the proxy (proxy.port in config.yaml gives the proxy another)`,
    )
  const reason = await install(image.architecture, paths, runId)
  if (reason !== undefined) return sayNot(reason)
  const host = (await engine.isVirtual()) ? ['--host', hostName] : []
  const socket = posix.join(mountPoint, basename(agentSocket(paths, runId)))
  const flags = [...ports.flatMap((port) => ['--port', `${port}`]), '--socket', socket, ...host]
  const endpointHosts = names.map((name) => endpointHost(agent.name, name, address.domain))
  return {
    mount: { readOnly: true, source: agentDirectory(paths, runId), target: mountPoint },
    ports,
    spec: {
      command,
      entrypoint: [`${mountPoint}/${program}`, ...flags, '--', ...image.entrypoint],
      // curl and browsers know where these lead; what asks the system, Node and Python for two, does not.
      hosts: [agentHost(agent.name, address.domain), ...endpointHosts].map((name) => ({ address: loopback, name })),
      ...(ports.some((port) => port < firstOrdinaryPort) && { unprivilegedPortStart: 0 }),
    },
  }
}

/**
 * Why not, or undefined. A copy for each agent: it is started again with its container, whatever becomes of this installation
 * meanwhile.
 */
async function install(
  architecture: string,
  paths: ForwarderOptions['paths'],
  runId: string,
): Promise<string | undefined> {
  const directory = await makeAgentDirectory(paths, runId)
  const path = join(directory, program)
  try {
    await copyFile(join(programs, `linux-${architecture}`), path)
    await chmod(path, 0o755)
    await access(path, constants.X_OK)
    return undefined
  } catch (error) {
    await removeAgentDirectory(paths, runId)
    if (systemCode(error) === 'ENOENT') return `moat has no forwarder for the processor of its image, ${architecture}`
    if (systemCode(error) === 'EACCES') return `nothing may be run from the file system of ${paths.agents} (noexec)`
    throw error
  }
}
