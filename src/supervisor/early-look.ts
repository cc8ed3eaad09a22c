// Owns asking the supervisor what a command is going to show before the command is loaded: it looks at the engine, and for a while at what
// agents use, in the time that loading takes. Loaded by bin/, so it needs as little as can be: of HTTP only what it says itself, because
// Node's takes 10 ms to load.
import { connect } from 'node:net'
import { moatPaths } from '../config/paths.js'
import { controlPaths } from './control-paths.js'

/** How long a supervisor may take to answer; a push of routes may wait a second for its turn. Milliseconds. */
export const answerTimeout = 10_000

/** Of each command that shows what the supervisor sees, by its names, what that is asked for. */
const paths: Readonly<Record<string, string>> = {
  list: lookPath({ system: false }),
  ls: lookPath({ system: false }),
  ps: lookPath({ system: false }),
  status: lookPath({ system: true }),
}

/** With anything else on its line a command may ask another engine, or nobody. */
const harmless = ['--json', '--verbose']

let early: { answer: Promise<string>; path: string; socketPath: string } | undefined

export function lookPath({ system }: { system: boolean }): string {
  return `${controlPaths.look}${system ? '?system' : ''}`
}

/** Resolves once the question is on its way: loading leaves no time for that. Nothing is said of a failure, which the command comes to by itself. */
export async function lookEarly([command = '', ...words]: readonly string[]): Promise<void> {
  const path = Object.hasOwn(paths, command) ? paths[command] : undefined
  if (path === undefined || words.some((word) => !harmless.includes(word))) return
  const socketPath = controlSocket()
  if (socketPath === undefined) return
  const { answer, sent } = ask(socketPath, path)
  early = { answer, path, socketPath }
  await Promise.race([sent, answer.catch(() => {})])
}

/** Undefined for a home in which there can be none, which is for the command to complain of. */
function controlSocket(): string | undefined {
  try {
    return moatPaths().controlSocket
  } catch {
    return undefined
  }
}

/** As HTTP/1.0 has it: the answer ends with the connection. */
function ask(socketPath: string, path: string): { answer: Promise<string>; sent: Promise<void> } {
  const socket = connect({ path: socketPath })
  const sent = new Promise<void>((resolve) => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`, () => resolve()))
  const answer = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.setTimeout(answerTimeout, () => socket.destroy(new Error('no answer in time')))
    socket.on('data', (part) => {
      text += part
    })
    socket.once('error', reject)
    socket.once('end', () => resolve(text))
  })
  return { answer, sent }
}

/** What has been asked early, for the first who would ask the same; undefined for everybody else. Rejects without an answer. */
export async function takeEarlyLook(socketPath: string, path: string): Promise<unknown> {
  if (early?.path !== path || early.socketPath !== socketPath) return undefined
  const { answer } = early
  early = undefined
  const text = await answer
  const body = text.indexOf('\r\n\r\n')
  if (body < 0 || !/^HTTP\/1\.\d 200 /.test(text)) throw new Error('not the answer that was asked for')
  return JSON.parse(text.slice(body))
}
