// Owns asking the supervisor what a command is going to show before the command is loaded: it looks at the engine, and for a while at what
// agents use, in the time that loading takes. Loaded by bin/, so it needs as little as can be.
import http, { type IncomingMessage } from 'node:http'
import { moatPaths } from '../config/paths.js'
import { nameless } from '../engine/engine-address.js'
import { controlPaths } from './control-paths.js'

/** How long a supervisor may take to answer; a push of routes may wait a second for its turn. Milliseconds. */
export const answerTimeout = 10_000

/** The supervisor has taken too long. */
export class SilenceError extends Error {}

/** Of each command that shows what the supervisor sees, by its names, what that is asked for. */
const paths: Readonly<Record<string, string>> = {
  list: lookPath({ system: false }),
  ls: lookPath({ system: false }),
  ps: lookPath({ system: false }),
  status: lookPath({ system: true }),
}

/** With anything else on its line a command may ask another engine, or nobody. */
const harmless = ['--json', '--verbose']

let early: { path: string; response: Promise<IncomingMessage>; socketPath: string } | undefined

export function lookPath({ system }: { system: boolean }): string {
  return `${controlPaths.look}${system ? '?system' : ''}`
}

/** Resolves once the question is on its way: loading leaves no time for that. Nothing is said of a failure, which the command comes to by itself. */
export async function lookEarly([command = '', ...words]: readonly string[]): Promise<void> {
  const path = Object.hasOwn(paths, command) ? paths[command] : undefined
  if (path === undefined || words.some((word) => !harmless.includes(word))) return
  const socketPath = controlSocket()
  if (socketPath === undefined) return
  const request = http.request({ ...nameless, path, socketPath, timeout: answerTimeout })
  request.on('timeout', () => request.destroy(new SilenceError()))
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('error', reject)
    request.once('response', resolve)
  })
  early = { path, response, socketPath }
  const failed = response.catch(() => {})
  await Promise.race([new Promise<void>((resolve) => request.end(resolve)), failed])
}

/** Undefined for a home in which there can be none, which is for the command to complain of. */
function controlSocket(): string | undefined {
  try {
    return moatPaths().controlSocket
  } catch {
    return undefined
  }
}

/** The answer to what was asked early, for the first who would ask the same; undefined for everybody else. */
export function takeEarlyLook(socketPath: string, path: string): Promise<IncomingMessage> | undefined {
  if (early?.path !== path || early.socketPath !== socketPath) return undefined
  const { response } = early
  early = undefined
  return response
}
