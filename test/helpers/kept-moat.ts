// A moat that stays for the commands of a file of tests that are means to an end: most of what a command costs is to load its code, and to
// run it for the first time.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

export interface KeptCommand {
  args: string[]
  cwd: string
  env: NodeJS.ProcessEnv
}

export interface KeptOutcome {
  code: number
  stderr: string
  stdout: string
}

const program = resolve('test/helpers/kept-moat.mjs')

/** One for all sandboxes of a process; it ends with it. */
let kept: ChildProcess | undefined
let asking: Promise<unknown> | undefined
/** What Node itself looked at as it started. */
let startedWith = ''

/** Undefined while it is at another command, or for one that begins otherwise: then this one is for a process of its own. */
export function askKeptMoat(command: KeptCommand): Promise<KeptOutcome> | undefined {
  if (asking || (kept && nodeVariables(command.env) !== startedWith)) return undefined
  const answer = ask(command)
  asking = answer
  const done = () => {
    asking = undefined
  }
  answer.then(done, done)
  return answer
}

/** Ends it in the middle of its command, if it is at one. */
export async function interruptKeptMoat(): Promise<void> {
  if (!asking) return
  kept?.kill('SIGKILL')
  await asking.catch(() => {})
}

async function ask(command: KeptCommand): Promise<KeptOutcome> {
  const moat = kept ?? start(command.env)
  kept = moat
  const listening = new AbortController()
  const { signal } = listening
  // While it is at work this process waits for it.
  moat.ref()
  moat.channel?.ref()
  try {
    moat.send(command)
    const answered = once(moat, 'message', { signal }).then(([outcome]) => outcome as KeptOutcome)
    const ended = once(moat, 'exit', { signal }).then(() => {
      throw new Error(`The moat that stays ended during moat ${command.args.join(' ')}`)
    })
    return await Promise.race([answered, ended])
  } finally {
    listening.abort()
    moat.unref()
    moat.channel?.unref()
  }
}

function nodeVariables(env: NodeJS.ProcessEnv): string {
  return JSON.stringify(Object.entries(env).filter(([name]) => name.startsWith('NODE_')))
}

/** Of its beginning nothing says whose it is: what tests find by that are the processes that it starts. */
function start(env: NodeJS.ProcessEnv): ChildProcess {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('MOAT_'))
  const moat = fork(program, [resolve('.')], {
    env: Object.fromEntries(own),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  startedWith = nodeVariables(env)
  moat.on('error', () => {})
  moat.once('exit', () => {
    if (kept === moat) kept = undefined
  })
  return moat
}
