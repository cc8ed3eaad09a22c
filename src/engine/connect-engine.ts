// Owns finding the container engine: asks each candidate, takes the first that answers, says why each other did not.
import http from 'node:http'
import https from 'node:https'
import { homedir } from 'node:os'
import { MoatError, messageOf } from '../errors.js'
import { readDockerContext } from './docker-context.js'
import type { Engine } from './engine.js'
import { type DialOptions, dialOptions } from './engine-address.js'
import { type EngineCandidate, engineCandidates } from './engine-candidates.js'
import { connectionReason } from './engine-errors.js'

/** An engine that answers. */
export interface FoundEngine {
  address: string
  dial: DialOptions
}

export interface ConnectOptions {
  env?: NodeJS.ProcessEnv
  /** The user's home directory. Default: `HOME` of `env`, else the system's. */
  home?: string
  /** The `~/.moat` whose agents the engine shows. Default: everybody's. */
  moatHome?: string
  platform?: NodeJS.Platform
  /** How long each candidate may take to answer. Milliseconds. */
  timeout?: number
}

interface Rejection {
  candidate: EngineCandidate
  error: unknown
  reason: string
}

/** The engine in use. Rejects with ENGINE_UNREACHABLE, naming every socket tried and what was wrong with it. */
export async function connectEngine(options: ConnectOptions = {}): Promise<Engine> {
  const found = await findEngine(options)
  // Loaded only now: dockerode costs more than the search for the engine does.
  const { DockerEngine } = await import('./docker-engine.js')
  return new DockerEngine({ ...found, moatHome: options.moatHome })
}

/** Where the engine in use answers. Rejects like `connectEngine`. */
export async function findEngine(options: Omit<ConnectOptions, 'moatHome'> = {}): Promise<FoundEngine> {
  const { env = process.env, platform = process.platform, timeout = 2_000 } = options
  const home = options.home ?? (env.HOME || homedir())
  const context = await readDockerContext(env, home)
  const rejections: Rejection[] = []
  for (const candidate of engineCandidates({ context, env, home, platform })) {
    try {
      if (candidate.problem !== undefined) throw new Error(candidate.problem)
      const dial = await dialOptions(candidate.address, candidate.certificates)
      await ping(dial, timeout)
      return { address: candidate.address, dial }
    } catch (error) {
      rejections.push({ candidate, error, reason: connectionReason(error) ?? messageOf(error) })
    }
  }
  throw noEngine(rejections, env, platform)
}

/** Resolves when an engine answers at `dial`. Rejects with the system's error, or with one in plain words. */
function ping(dial: DialOptions, timeout: number): Promise<void> {
  const { protocol = 'http', ...target } = 'protocol' in dial ? dial : { ...dial, protocol: 'http' as const }
  const { request } = protocol === 'https' ? https : http
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...target, agent: false, path: '/_ping', signal: AbortSignal.timeout(timeout) },
      (answer) => {
        answer.resume()
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`answered with HTTP status ${answer.statusCode}`))
      },
    )
    asked.on('error', (error) => {
      reject(error.name === 'AbortError' ? new Error(`no answer within ${timeout / 1000} s`, { cause: error }) : error)
    })
    asked.end()
  })
}

function noEngine(rejections: Rejection[], env: NodeJS.ProcessEnv, platform: NodeJS.Platform): MoatError {
  const lines = rejections.map(({ candidate: { address, origin }, reason }) => {
    return `  ${address ? `${address} (${origin})` : origin}: ${reason}`
  })
  return new MoatError('ENGINE_UNREACHABLE', ['No container engine answers.', ...lines].join('\n'), {
    cause: rejections[0]?.error,
    suggestions: remedies(rejections, env, platform),
  })
}

function remedies(rejections: Rejection[], env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const named = ['DOCKER_HOST', 'DOCKER_CONTEXT'].filter((variable) => env[variable])
  const denied = rejections.some(({ reason }) => reason.startsWith('permission denied'))
  return [
    ...(denied && platform === 'linux' ? ['sudo usermod -aG docker $USER && newgrp docker'] : []),
    ...(named.length > 0 ? [`unset ${named.join(' ')}`] : []),
    ...(startCommands[platform] ?? ['docker info']),
  ]
}

/** What starts an engine, the likeliest first. */
const startCommands: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ['open -a Docker', 'open -a OrbStack', 'colima start'],
  linux: ['sudo systemctl start docker', 'systemctl --user start podman.socket'],
}
