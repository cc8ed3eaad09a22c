// Owns finding the container engine: asks each candidate, takes the first that answers, says why each other did not.
import http from 'node:http'
import { homedir } from 'node:os'
import { MoatError, messageOf } from '../errors.js'
import { readDockerContext } from './docker-context.js'
import type { Engine } from './engine.js'
import { type DialOptions, dialOptions, nameless } from './engine-address.js'
import { type EngineCandidate, engineCandidates } from './engine-candidates.js'
import { connectionReason } from './engine-errors.js'
import { type RuntimeName, runtimeOf, runtimes } from './runtimes.js'

/** An engine that answers. */
export interface FoundEngine {
  address: string
  dial: DialOptions
}

export interface ConnectOptions {
  env?: NodeJS.ProcessEnv
  /** The user's home directory. Default: `HOME` of `env`, else the system's. */
  home?: string
  /** The `~/.moat` whose agents the engine shows and makes. Without one it knows of none. */
  moatHome?: string
  platform?: NodeJS.Platform
  /** How long each candidate may take to answer. Milliseconds. */
  timeout?: number
  /** How much longer one may take that lets callers in and is busy, where no other answers. Milliseconds; none by default. */
  patience?: number
  /** Called with the address of such a one, before it is waited for. */
  waiting?: (address: string) => void
}

/** It took the question and gave no answer in time, as one with very much to do. */
class NoAnswer extends Error {}

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
  const { env = process.env, patience = 0, platform = process.platform, timeout = 2_000, waiting } = options
  const home = options.home ?? (env.HOME || homedir())
  const runtime = runtimeOf(env)
  const context = await readDockerContext(env, home)
  const rejections: Rejection[] = []
  for (const candidate of engineCandidates({ context, env, home, platform, runtime })) {
    try {
      return await tryEngine(candidate, runtime, timeout)
    } catch (error) {
      rejections.push(rejected(candidate, error))
    }
  }
  for (const [index, { candidate, error }] of rejections.entries()) {
    if (patience === 0 || !(error instanceof NoAnswer)) continue
    waiting?.(candidate.address)
    try {
      return await tryEngine(candidate, runtime, patience)
    } catch (error) {
      rejections[index] = rejected(candidate, error)
    }
  }
  throw noEngine(rejections, env, platform, runtime)
}

/** Where an engine is sought first; undefined where one is insisted on, which has to be asked whether it is that one. */
export async function firstAddress({
  env = process.env,
  platform = process.platform,
  ...options
}: Pick<ConnectOptions, 'env' | 'home' | 'platform'> = {}): Promise<string | undefined> {
  const home = options.home ?? (env.HOME || homedir())
  if (runtimeOf(env)) return undefined
  const context = await readDockerContext(env, home)
  const [first] = engineCandidates({ context, env, home, platform })
  return first?.problem === undefined ? first?.address : undefined
}

async function tryEngine(
  candidate: EngineCandidate,
  runtime: RuntimeName | undefined,
  timeout: number,
): Promise<FoundEngine> {
  if (candidate.problem !== undefined) throw new Error(candidate.problem)
  const dial = dialOptions(candidate.address)
  await ask(dial, '/_ping', timeout)
  if (runtime && candidate.shared) await assertRuntime(dial, runtime, timeout)
  return { address: candidate.address, dial }
}

function rejected(candidate: EngineCandidate, error: unknown): Rejection {
  return { candidate, error, reason: connectionReason(error) ?? messageOf(error) }
}

/** Rejects when what answers at a socket that several engines put there is not the one insisted on. */
async function assertRuntime(dial: DialOptions, runtime: RuntimeName, timeout: number): Promise<void> {
  const { Components } = JSON.parse(await ask(dial, '/version', timeout)) as { Components?: { Name: string }[] }
  const found = Components?.[0]?.Name.startsWith('Podman') ? 'podman' : 'docker'
  if (found !== runtime) throw new Error(`it is ${runtimes[found].title}, not ${runtimes[runtime].title}`)
}

/** What an engine at `dial` answers. Rejects with the system's error, or with one in plain words. */
function ask(dial: DialOptions, path: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      const isLate = error.name === 'AbortError'
      reject(isLate ? new NoAnswer(`no answer within ${timeout / 1000} s`, { cause: error }) : error)
    }
    const asked = http.request(
      { ...dial, ...nameless, agent: false, path, signal: AbortSignal.timeout(timeout) },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (text) => {
          body += text
        })
        answer.on('error', failed)
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(body)
          else reject(new Error(`answered with HTTP status ${answer.statusCode}`))
        })
      },
    )
    asked.on('error', failed)
    asked.end()
  })
}

function noEngine(
  rejections: Rejection[],
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  runtime: RuntimeName | undefined,
): MoatError {
  const lines = rejections.map(({ candidate: { address, origin }, reason }) => {
    return `  ${address ? `${address} (${origin})` : origin}: ${reason}`
  })
  const title = runtime
    ? `${runtimes[runtime].title} does not answer, and moat was told to use no other engine.`
    : 'No container engine answers.'
  return new MoatError('ENGINE_UNREACHABLE', [title, ...lines].join('\n'), {
    cause: rejections[0]?.error,
    suggestions: remedies(rejections, env, platform, runtime),
  })
}

function remedies(
  rejections: Rejection[],
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  runtime: RuntimeName | undefined,
): string[] {
  const named = runtime
    ? ['MOAT_RUNTIME   # or leave out --runtime']
    : ['DOCKER_HOST', 'DOCKER_CONTEXT'].filter((variable) => env[variable])
  const denied = rejections.some(({ reason }) => reason.startsWith('permission denied'))
  const start = runtime ? runtimes[runtime].start[platform] : undefined
  const starts = runtime ? (start ? [start] : []) : (startCommands[platform] ?? ['docker info'])
  return [
    ...(denied && platform === 'linux' ? ['sudo usermod -aG docker $USER && newgrp docker'] : []),
    ...(runtime ? starts : []),
    ...(named.length > 0 ? [`unset ${named.join(' ')}`] : []),
    ...(runtime ? [] : starts),
  ]
}

/** What starts an engine, the likeliest first. */
const startCommands: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ['open -a Docker', 'open -a OrbStack', 'colima start'],
  linux: ['sudo systemctl start docker', 'systemctl --user start podman.socket'],
}
