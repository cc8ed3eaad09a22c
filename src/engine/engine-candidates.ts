// Owns where an engine may answer, in the order moat asks. Pure: asking is connect-engine's.
import { join } from 'node:path'
import { type DockerContext, dockerConfigDirectory } from './docker-context.js'

/** A place where an engine may answer. */
export interface EngineCandidate {
  /** E.g. `unix:///var/run/docker.sock`. Empty when `problem` is that it is not known. */
  address: string
  /** Directory with the TLS files for it. */
  certificates?: string
  /** Who says so: `DOCKER_HOST`, `Docker context colima`, `Podman`, … */
  origin: string
  /** Set when it is known beforehand that it cannot be asked. */
  problem?: string
}

export interface CandidateOptions {
  /** The Docker CLI's context in use. */
  context?: DockerContext | undefined
  env: NodeJS.ProcessEnv
  home: string
  platform: NodeJS.Platform
}

/**
 * All candidates, the likeliest first. One that was chosen (`DOCKER_HOST`, else the Docker CLI's context) is the only
 * one: agents on another engine than the one asked for would be agents that seem to be gone.
 */
export function engineCandidates({ context, env, home, platform }: CandidateOptions): EngineCandidate[] {
  if (env.DOCKER_HOST) return [dockerHost(env.DOCKER_HOST, env, home)]
  if (context) return [contextCandidate(context)]
  const seen = new Set<string>()
  return sockets(env, home, platform).filter(({ address }) => {
    if (seen.has(address)) return false
    seen.add(address)
    return true
  })
}

function dockerHost(value: string, env: NodeJS.ProcessEnv, home: string): EngineCandidate {
  // The Docker CLI takes a bare host:port for TCP.
  const address = value.includes('://') ? value : `tcp://${value}`
  const certificates = env.DOCKER_CERT_PATH || dockerConfigDirectory(env, home)
  return { address, origin: 'DOCKER_HOST', ...(env.DOCKER_TLS_VERIFY && { certificates }) }
}

function contextCandidate(context: DockerContext): EngineCandidate {
  const { name, ...place } = context
  return { address: '', origin: `Docker context ${name}`, ...place }
}

function sockets(env: NodeJS.ProcessEnv, home: string, platform: NodeJS.Platform): EngineCandidate[] {
  if (platform === 'win32') return [{ address: 'npipe:////./pipe/docker_engine', origin: 'default pipe' }]
  const runtime = env.XDG_RUNTIME_DIR ?? ''
  const linux = platform === 'linux'
  const mac = platform === 'darwin'
  const all: [origin: string, path: string, exists: boolean][] = [
    ['default socket', '/var/run/docker.sock', true],
    ['rootless Docker', join(runtime, 'docker.sock'), runtime !== ''],
    ['Docker Desktop', join(home, '.docker', 'run', 'docker.sock'), mac],
    ['Docker Desktop', join(home, '.docker', 'desktop', 'docker.sock'), linux],
    ['OrbStack', join(home, '.orbstack', 'run', 'docker.sock'), mac],
    ['Colima', join(home, '.colima', 'default', 'docker.sock'), true],
    ['Rancher Desktop', join(home, '.rd', 'docker.sock'), true],
    ['rootless Podman', join(runtime, 'podman', 'podman.sock'), runtime !== ''],
    ['Podman', '/run/podman/podman.sock', linux],
  ]
  return all.filter(([, , exists]) => exists).map(([origin, path]) => ({ address: `unix://${path}`, origin }))
}
