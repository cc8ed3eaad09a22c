// Owns asking the user before something is signed: by the program that ssh itself asks with, since the proxy has no terminal.
import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { startAsInvokingUser } from '../config/invoking-user.js'

/** Milliseconds; then the answer is no. */
const patience = 60_000

/** What asks: SSH_ASKPASS, else ssh-askpass. Undefined where there is neither. */
export async function findAskpass(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const directories = (env.PATH ?? '').split(delimiter)
  const usual = [...directories.map((one) => join(one, 'ssh-askpass')), '/usr/lib/ssh/ssh-askpass']
  for (const program of env.SSH_ASKPASS ? [env.SSH_ASKPASS] : usual) {
    const found = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return program
  }
  return undefined
}

let last: Promise<unknown> = Promise.resolve()

/** True when the user has said yes. One after the other: an agent that asks thirty times is not to open thirty windows. */
export function askConfirm(question: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const answered = last.then(() => ask(question, env))
  last = answered.catch(() => {})
  return answered
}

async function ask(question: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const program = await findAskpass(env)
  if (program === undefined) return false
  const asking = { ...env, SSH_ASKPASS_PROMPT: 'confirm' }
  const child = startAsInvokingUser((ids) =>
    spawn(program, [question], { cwd: '/', detached: true, env: asking, stdio: 'ignore', ...ids }),
  )
  const timer = setTimeout(() => child.kill('SIGKILL'), patience)
  try {
    return await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false))
      child.once('close', (code) => resolve(code === 0))
    })
  } finally {
    clearTimeout(timer)
  }
}
