// Owns calling git on the host: no shell, nobody else's GIT_* variables, English messages, the invoking user's rights.
import { execFile } from 'node:child_process'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'

export interface GitOutcome {
  code: number
  stderr: string
  stdout: string
}

/** Bytes of output that are read at most: a status of very many files. */
const mostOutput = 256 * 1024 * 1024

/** They say where the user's own settings are, not which repository is meant. */
const kept = new Set(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM', 'GIT_CONFIG_SYSTEM'])

/** Not run on moat's behalf: a repository an agent has worked in may name a program here. */
const safeConfig = ['-c', 'core.fsmonitor=false']

/** Runs git in `directory`; resolves whatever its exit code is. */
export function askGit(directory: string, args: readonly string[]): Promise<GitOutcome> {
  return new Promise((resolve, reject) => {
    startAsInvokingUser((ids) =>
      execFile(
        'git',
        [...safeConfig, ...args],
        { cwd: directory, encoding: 'utf8', env: gitEnvironment(process.env), maxBuffer: mostOutput, ...ids },
        (error, stdout, stderr) => {
          if (systemCode(error) === 'ENOENT') reject(missingGit(error))
          else resolve({ code: error ? exitOf(error) : 0, stderr, stdout })
        },
      ),
    )
  })
}

/** Runs git in `directory`; its output without the last line end. Throws GIT_FAILED with git's own words. */
export async function git(directory: string, args: readonly string[]): Promise<string> {
  const outcome = await askGit(directory, args)
  if (outcome.code === 0) return outcome.stdout.replace(/\n$/, '')
  throw gitFailed(directory, outcome)
}

export function gitFailed(directory: string, { code, stderr }: GitOutcome): MoatError {
  const said = stderr.trim() || `exit code ${code}`
  const dubious = /detected dubious ownership/.test(said)
  return new MoatError('GIT_FAILED', `git failed in ${directory}: ${said}`, {
    ...(dubious && { suggestions: [`git config --global --add safe.directory ${shellQuote(directory)}`] }),
  })
}

/** Exported for its test. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || kept.has(name))
  return { ...Object.fromEntries(rest), GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
}

function exitOf(error: { code?: number | string | null }): number {
  return typeof error.code === 'number' ? error.code : 1
}

function missingGit(cause: unknown): MoatError {
  return new MoatError('GIT_FAILED', 'git was not found on PATH; worktrees need it.', {
    cause,
    suggestions: ['sudo apt install git', 'brew install git'],
  })
}
