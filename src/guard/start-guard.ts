// Owns the start of a run's guard: a process of its own, as the run may be detached, and an attached one may be killed.
import { type ChildProcessByStdio, type StdioOptions, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { openLog } from '../config/open-log.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { type GuardArguments, readyWord } from './guard-arguments.js'

/** How long it may take to begin. Milliseconds. */
const deadline = 30_000
/** It lives as long as its agent, mostly idle. */
const thrifty = ['--max-semi-space-size=1']
const program = fileURLToPath(new URL('../../bin/guard.js', import.meta.url))

type Child = ChildProcessByStdio<Writable, Readable, null>

export interface StartedGuard {
  /** Without a container, it ends. */
  release(): void
  /** Has it stay until this container has ended. */
  stay(containerId: string): void
}

/** Resolves once it watches. Throws GIT_FAILED. */
export async function startGuard(args: GuardArguments): Promise<StartedGuard> {
  const logFile = join(args.home, 'git', 'guard.log')
  const output = openLog(logFile)
  try {
    const child = startAsInvokingUser((ids) => {
      const stdio: StdioOptions = ['pipe', 'pipe', output]
      const options = { cwd: '/', detached: true, stdio, ...ids }
      return spawn(process.execPath, [...thrifty, program, JSON.stringify(args)], options) as Child
    })
    const { stdin } = child
    stdin.on('error', () => {})
    const isReady = await saysReady(child)
    child.unref()
    child.stdout.destroy()
    if (!isReady) {
      child.kill()
      const message = 'What becomes of the config of your repository while an agent is at work there cannot be watched.'
      throw new MoatError('GIT_FAILED', message, { suggestions: [`tail ${shellQuote(logFile)}`, 'moat wt <branch>'] })
    }
    return { release: () => stdin.end(), stay: (containerId) => stdin.end(containerId) }
  } finally {
    closeSync(output)
  }
}

function saysReady(child: Child): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), deadline)
    const settle = (isReady: boolean) => {
      clearTimeout(late)
      resolve(isReady)
    }
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      said += piece
      if (said.includes(readyWord)) settle(true)
    })
    child.stdout.once('close', () => settle(false))
    child.once('error', () => settle(false))
  })
}
