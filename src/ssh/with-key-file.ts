// Owns signing with a key that lies in a file: OpenSSH's own agent reads it, for as long as one signature takes. moat itself never
// reads a private key.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { systemCode } from '../errors.js'

/** Milliseconds. */
const loadDeadline = 15_000

/**
 * Starts an agent that has the key of this file alone, and ends it when `use` has ended. Rejects when the file cannot be read, or
 * has a passphrase: nobody is there to type it.
 */
export async function withKeyFile<T>(file: string, use: (socketPath: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-ssh-'))
  const socketPath = join(directory, 'agent')
  // Nobody is to be asked by a window, and no other agent is to be found.
  const env = { ...process.env, SSH_ASKPASS_REQUIRE: 'never', SSH_AUTH_SOCK: socketPath }
  let agent: ChildProcess | undefined
  try {
    agent = start('ssh-agent', ['-D', '-a', socketPath], env)
    await listening(agent)
    await loaded(start('ssh-add', ['-q', '--', file], env))
    return await use(socketPath)
  } finally {
    agent?.kill('SIGKILL')
    await rm(directory, { force: true, recursive: true })
  }
}

/** Without a terminal on which it could ask. */
function start(program: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  return startAsInvokingUser((ids) =>
    spawn(program, args, { cwd: '/', detached: true, env, stdio: ['ignore', 'pipe', 'pipe'], ...ids }),
  )
}

/** It says where it listens, once it does. */
function listening(agent: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    agent.stdout?.once('data', () => resolve())
    agent.once('error', (error) => reject(missing('ssh-agent', error)))
    agent.once('close', () => reject(new Error('ssh-agent does not start')))
  })
}

function loaded(add: ChildProcess): Promise<void> {
  const timer = setTimeout(() => add.kill('SIGKILL'), loadDeadline)
  let complaint = ''
  add.stderr?.on('data', (piece: Buffer) => {
    complaint = `${complaint}${piece}`.slice(-500)
  })
  add.stdout?.resume()
  return new Promise<void>((resolve, reject) => {
    add.once('error', (error) => reject(missing('ssh-add', error)))
    add.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(reasonOf(complaint)))
    })
  }).finally(() => clearTimeout(timer))
}

function reasonOf(complaint: string): string {
  if (/passphrase/i.test(complaint)) return 'it has a passphrase'
  const line = complaint.trim().split('\n').at(-1)?.replace(/\p{C}/gu, '').slice(0, 200)
  return `ssh-add cannot load it${line ? ` (${line})` : ''}`
}

function missing(program: string, error: unknown): unknown {
  return systemCode(error) === 'ENOENT' ? new Error(`there is no program ${program} here`, { cause: error }) : error
}
