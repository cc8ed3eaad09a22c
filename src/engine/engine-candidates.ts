// Owns where an engine may answer, in the order moat asks. Pure: asking is connect-engine's.
import { join } from 'node:path'
import type { DockerContext } from './docker-context.js'
import { type RuntimeName, runtimes } from './runtimes.js'

/** A place where an engine may answer. */
export interface EngineCandidate {
  /** E.g. `unix:///var/run/docker.sock`. Empty when `problem` is that it is not known. */
  address: string
  /** Who says so: `DOCKER_HOST`, `Docker context colima`, `Podman`, … */
  origin: string
  /** True for a socket that belongs to whichever engine was installed last. */
  shared?: boolean
  /** Set when it is known beforehand that it cannot be asked. */
  problem?: string
}

export interface CandidateOptions {
  /** The Docker CLI's context in use. */
  context?: DockerContext | undefined
  env: NodeJS.ProcessEnv
  home: string
  platform: NodeJS.Platform
  /** The only engine that will do. */
  runtime?: RuntimeName | undefined
}

/**
 * All candidates, the likeliest first. One that was chosen (`DOCKER_HOST`, else the Docker CLI's context) is the only
 * one: agents on another engine than the one asked for would be agents that seem to be gone. A runtime that is insisted
 * on goes before both: then only its own sockets, and a context of its own, are asked.
 */
export function engineCandidates({ context, env, home, platform, runtime }: CandidateOptions): EngineCandidate[] {
  if (runtime) return candidatesOf(runtime, { context, env, home, platform })
  if (env.DOCKER_HOST) return [dockerHost(env.DOCKER_HOST)]
  if (context) return [contextCandidate(context)]
  const seen = new Set<string>()
  return sockets(env, home, platform).filter(({ address }) => {
    if (seen.has(address)) return false
    seen.add(address)
    return true
  })
}

function candidatesOf(runtime: RuntimeName, { context, env, home, platform }: CandidateOptions): EngineCandidate[] {
  const { contexts, title } = runtimes[runtime]
  const own = [
    ...(context && contexts.test(context.name) ? [contextCandidate(context)] : []),
    ...sockets(env, home, platform, runtime),
  ]
  return own.length > 0 ? own : [{ address: '', origin: title, problem: `there is no ${title} on ${platform}` }]
}

function dockerHost(value: string): EngineCandidate {
  // The Docker CLI takes a bare host:port for TCP.
  const address = value.includes('://') ? value : `tcp://${value}`
  return { address, origin: 'DOCKER_HOST' }
}

function contextCandidate(context: DockerContext): EngineCandidate {
  const { name, ...place } = context
  return { address: '', origin: `Docker context ${name}`, ...place }
}

/** The sockets of all engines, or of one. */
function sockets(
  env: NodeJS.ProcessEnv,
  home: string,
  platform: NodeJS.Platform,
  runtime?: RuntimeName,
): EngineCandidate[] {
  const directory = env.XDG_RUNTIME_DIR ?? ''
  const linux = platform === 'linux'
  const mac = platform === 'darwin'
  const windows = platform === 'win32'
  const all: [origin: string, path: string, exists: boolean, of: RuntimeName[]][] = [
    ['default pipe', '//./pipe/docker_engine', windows, ['docker', 'podman']],
    ['default socket', '/var/run/docker.sock', !windows, ['docker', 'podman']],
    ['rootless Docker', join(directory, 'docker.sock'), linux && directory !== '', ['docker']],
    ['Docker Desktop', join(home, '.docker', 'run', 'docker.sock'), mac, ['docker', 'docker-desktop']],
    ['Docker Desktop', join(home, '.docker', 'desktop', 'docker.sock'), linux, ['docker', 'docker-desktop']],
    ['OrbStack', join(home, '.orbstack', 'run', 'docker.sock'), mac, ['orbstack']],
    ['Colima', join(home, '.colima', 'default', 'docker.sock'), linux || mac, ['colima']],
    ['Rancher Desktop', join(home, '.rd', 'docker.sock'), linux || mac, ['rancher']],
    ['rootless Podman', join(directory, 'podman', 'podman.sock'), linux && directory !== '', ['podman']],
    ['Podman', '/run/podman/podman.sock', linux, ['podman']],
    ['Podman machine', join(home, podmanMachine), mac, ['podman']],
  ]
  return all
    .filter(([, , exists, of]) => exists && (runtime === undefined || of.includes(runtime)))
    .map(([origin, path, , of]) => ({
      address: `${windows ? 'npipe' : 'unix'}://${path}`,
      origin,
      ...(of.length > 1 && of.includes('podman') && { shared: true }),
    }))
}

/** Where Podman links the socket of its virtual machine to. */
const podmanMachine = '.local/share/containers/podman/machine/podman.sock'
