// Owns asking the supervisor what a command is going to show before the command is loaded: it looks at the engine, and for a while at what
// agents use, in the time that loading takes. Loaded before all else, so it needs as little as can be: of HTTP only what it says itself,
// because Node's takes as long to load as a socket does once more.
import { join } from 'node:path'
import { moatHome } from '../config/moat-home.js'
import { answerTimeout, lookPath } from './control-paths.js'

/** A question that is on its way. */
export interface EarlyLook {
  /** As it came, headers and all. */
  answer: Promise<string>
  path: string
  socketPath: string
}

/** Of each command that wants what the supervisor sees, by its names, what that is asked for by. */
const paths: Readonly<Record<string, string>> = {
  list: lookPath('problems'),
  ls: lookPath('problems'),
  ps: lookPath('problems'),
  status: lookPath('system'),
  stop: lookPath('agents'),
}

/** With any other flag on its line a command may ask another engine, or nobody. */
const harmless = ['--all', '--json', '--verbose', '-a']

/** Resolves once the question is sent: loading leaves no time for that. Nothing is said of a failure, which the command comes to by itself. */
export async function askEarly([command = '', ...words]: readonly string[]): Promise<EarlyLook | undefined> {
  const path = Object.hasOwn(paths, command) ? paths[command] : undefined
  if (path === undefined || words.some((word) => word.startsWith('-') && !harmless.includes(word))) return undefined
  // As moatPaths has it, which would be more to load.
  const socketPath = join(moatHome(), 'proxy', 'control.sock')
  const { answer, sent } = await ask(socketPath, path)
  await Promise.race([sent, answer.catch(() => {})])
  return { answer, path, socketPath }
}

/** As HTTP/1.0 has it: the answer ends with the connection. */
async function ask(socketPath: string, path: string): Promise<{ answer: Promise<string>; sent: Promise<void> }> {
  // Loaded here: other commands, and TAB, ask nothing.
  const { connect } = await import('node:net')
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
