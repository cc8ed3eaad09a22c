// Owns the client's end of the control socket.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { RootKind, Rotation } from '../authority/roots.js'
import { nameless } from '../engine/engine-address.js'
import { deserializeError, type SerializedError, systemCode } from '../errors.js'
import type { EndpointProblem, IndexView } from '../pages/view.js'
import { silentSupervisor } from '../upkeep/silent-supervisor.js'
import { answerTimeout, type LookKind, lookPath } from './control-paths.js'
import { takeEarlyLook } from './early-look.js'
import type { SupervisorLook } from './engine-look.js'
import {
  controlPaths,
  type RecordingQuestion,
  type RouteQuestion,
  type SupervisorStatus,
  stoppingStatus,
} from './protocol.js'
import type { RecordedRequest } from './request-recorder.js'

/** The same for what is said beside the answer to something else. */
const asideTimeout = 1_500

/** A client's claim on the proxy: while it is held, the proxy does not stop for want of agents. */
export interface ProxyHold {
  /** Resolves when the hold ends: the proxy was stopped (or `release` called), or the supervisor was lost. */
  readonly ended: Promise<'lost' | 'stopped'>
  /** The status when the hold began. */
  readonly status: SupervisorStatus
  /** Calls back with each later status. */
  onStatus(listener: (status: SupervisorStatus) => void): void
  release(): void
}

/** The supervisor's status; undefined when none answers on this socket. */
export function readStatus(socketPath: string): Promise<SupervisorStatus | undefined> {
  return ifListening(socketPath, ask<SupervisorStatus>(socketPath, 'GET', controlPaths.status))
}

/** Resolves when Caddy serves what the engine says now; undefined when there is no supervisor. */
export function syncRoutes(socketPath: string): Promise<SupervisorStatus | undefined> {
  return ifListening(socketPath, ask<SupervisorStatus>(socketPath, 'POST', controlPaths.sync))
}

/** What the supervisor sees to be wrong with endpoints. None when it does not say in time: it is an aside of whoever asks. */
export async function readProblems(socketPath: string): Promise<EndpointProblem[]> {
  const late = wait(asideTimeout, [], { ref: false })
  const asked = ask<EndpointProblem[]>(socketPath, 'GET', controlPaths.problems).catch(() => [])
  const problems = await Promise.race([asked, late])
  return Array.isArray(problems) ? problems : []
}

/** What the supervisor sees of the engine now; undefined when it does not say, for whatever reason: then whoever asks looks there itself. */
export async function readLook(socketPath: string, kind: LookKind): Promise<SupervisorLook | undefined> {
  const path = lookPath(kind)
  try {
    const early = (await takeEarlyLook(socketPath, path)) as SupervisorLook | undefined
    const look = early ?? (await ask<SupervisorLook>(socketPath, 'GET', path))
    return look.list && look.status ? look : undefined
  } catch {
    return undefined
  }
}

/** Has the supervisor prepare for an agent that is about to start. Resolves in any case: without, it is prepared a moment after its start. */
export async function expectAgent(socketPath: string, name: string): Promise<void> {
  const late = wait(asideTimeout, undefined, { ref: false })
  const asked = ask(socketPath, 'POST', `${controlPaths.expect}?agent=${encodeURIComponent(name)}`)
  await Promise.race([asked.catch(() => {}), late])
}

/** Rejects with PLUGIN_FAILED, naming plugin and endpoint, when Caddy does not take one of the routes. */
export async function checkRoutes(socketPath: string, questions: RouteQuestion[]): Promise<void> {
  await ask(socketPath, 'POST', controlPaths.check, questions)
}

/** Has the supervisor replace the root; undefined when there is none. */
export function requestRotation(socketPath: string, which: RootKind): Promise<Rotation | undefined> {
  const path = which === 'own' ? controlPaths.rotate : `${controlPaths.rotate}?egress`
  return ifListening(socketPath, ask<Rotation>(socketPath, 'POST', path))
}

/** Tells the supervisor to stay without agents. */
export function keepProxy(socketPath: string): Promise<SupervisorStatus> {
  return ask<SupervisorStatus>(socketPath, 'POST', controlPaths.keep)
}

/** Resolves when the proxy has stopped; undefined when there was no supervisor. */
export function requestStop(socketPath: string, { leaveCaddy = false } = {}): Promise<unknown> {
  return ifListening(socketPath, ask(socketPath, 'POST', `${controlPaths.stop}${leaveCaddy ? '?leave-caddy' : ''}`))
}

/** Claims the proxy; undefined when no supervisor answers on this socket. */
export async function holdProxy(socketPath: string): Promise<ProxyHold | undefined> {
  const request = httpRequest({ ...nameless, method: 'POST', path: controlPaths.hold, socketPath })
  // Only until the first status: a hold itself may last for days.
  const hung = setTimeout(() => request.destroy(new SilenceError()), answerTimeout)
  const response = await ifListening(socketPath, responseOf(request)).finally(() => clearTimeout(hung))
  if (!response) return undefined
  if (response.statusCode === stoppingStatus) {
    response.resume()
    return undefined
  }
  const listeners = new Set<(status: SupervisorStatus) => void>()
  const first = Promise.withResolvers<SupervisorStatus | undefined>()
  const ended = Promise.withResolvers<'lost' | 'stopped'>()
  let released = false
  const lines = createInterface({ input: response })
  lines.on('line', (line) => {
    const status = JSON.parse(line) as SupervisorStatus
    first.resolve(status)
    for (const listener of listeners) listener(status)
  })
  // A supervisor that dies resets the connection; that is an end like any other.
  response.on('error', () => {})
  lines.on('error', () => {})
  response.on('close', () => {
    first.resolve(undefined)
    // A supervisor that stops ends its answer; one that is killed leaves it incomplete.
    ended.resolve(response.complete || released ? 'stopped' : 'lost')
  })
  const status = await first.promise
  if (!status) return undefined
  return {
    ended: ended.promise,
    onStatus: (listener) => listeners.add(listener),
    release: () => {
      released = true
      request.destroy()
    },
    status,
  }
}

/** The supervisor has taken too long. */
class SilenceError extends Error {}

/** The supervisor is on its way out. */
class StoppingError extends Error {}

async function ask<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> {
  const request = httpRequest({ ...nameless, method, path, socketPath, timeout: answerTimeout })
  request.on('timeout', () => request.destroy(new SilenceError()))
  if (body !== undefined) request.write(JSON.stringify(body))
  const response = await responseOf(request)
  if (response.statusCode === stoppingStatus) {
    response.resume()
    throw new StoppingError('The supervisor is stopping.')
  }
  const answer = JSON.parse(await text(response)) as T & { error?: SerializedError }
  if (response.statusCode !== 200 && answer.error) throw deserializeError(answer.error)
  return answer
}

/** Resolves with a key that lets one browser act on the dashboard; undefined when there is no supervisor. */
export async function requestKey(socketPath: string): Promise<string | undefined> {
  return (await ifListening(socketPath, ask<{ key: string }>(socketPath, 'POST', controlPaths.key)))?.key
}

/** What the supervisor sends, one value at a time. */
export interface ControlStream {
  /** Resolves when it ends: the proxy was stopped (or `release` called), or the supervisor was lost. */
  readonly ended: Promise<'lost' | 'stopped'>
  release(): void
}

/** The index now and every second; undefined when there is no supervisor. */
export function watchIndex(socketPath: string, onView: (view: IndexView) => void): Promise<ControlStream | undefined> {
  return openStream(socketPath, controlPaths.watch, undefined, onView)
}

/** Requests as they are answered. Resolves once they are recorded; undefined when there is no supervisor. */
export function recordRequests(
  socketPath: string,
  question: RecordingQuestion,
  onRequest: (request: RecordedRequest) => void,
): Promise<ControlStream | undefined> {
  return openStream(socketPath, controlPaths.record, question, onRequest)
}

async function openStream<T>(
  socketPath: string,
  path: string,
  question: unknown,
  onValue: (value: T) => void,
): Promise<ControlStream | undefined> {
  const request = httpRequest({ ...nameless, method: 'POST', path, socketPath })
  if (question !== undefined) request.write(JSON.stringify(question))
  const hung = setTimeout(() => request.destroy(new SilenceError()), answerTimeout)
  const response = await ifListening(socketPath, responseOf(request)).finally(() => clearTimeout(hung))
  if (!response) return undefined
  if (response.statusCode === stoppingStatus) {
    response.resume()
    return undefined
  }
  const ended = Promise.withResolvers<'lost' | 'stopped'>()
  let released = false
  const lines = createInterface({ input: response })
  lines.on('line', (line) => onValue(JSON.parse(line) as T))
  response.on('error', () => {})
  lines.on('error', () => {})
  response.on('close', () => ended.resolve(response.complete || released ? 'stopped' : 'lost'))
  return {
    ended: ended.promise,
    release: () => {
      released = true
      request.destroy()
    },
  }
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('response', resolve)
    request.end()
  })
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function ifListening<T>(socketPath: string, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof StoppingError) return undefined
    // Its lock lies beside its socket.
    if (error instanceof SilenceError)
      throw await silentSupervisor({ supervisorLock: join(dirname(socketPath), 'supervisor.lock') })
    // No socket, nobody behind it, or a supervisor that ended while it was asked.
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
