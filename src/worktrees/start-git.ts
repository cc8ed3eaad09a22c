// Owns starting git on the host: no shell, nobody else's GIT_* variables, English messages, the invoking user's rights.
import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { MoatError, systemCode } from '../errors.js'

export interface GitOutcome {
  code: number
  stderr: string
  stdout: string
}

export interface GitStart {
  directory: string
  /** Of its output; `latin1` is a character a byte. */
  encoding?: 'latin1' | 'utf8'
  env?: NodeJS.ProcessEnv
  /** Its stdin. */
  input?: Buffer | Readable
  /** Milliseconds after which it is killed. */
  timeout?: number
}

/** Bytes of output that are read at most: a status of very many files. */
const mostOutput = 256 * 1024 * 1024

/** They say where the user's own settings are, not which repository is meant. */
const kept = new Set(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM', 'GIT_CONFIG_SYSTEM'])

/** Runs git; resolves whatever its exit code is. */
export function startGit(
  args: readonly string[],
  { directory, encoding = 'utf8', env, input, timeout = 0 }: GitStart,
): Promise<GitOutcome> {
  return new Promise((resolve, reject) => {
    const child = startAsInvokingUser((ids) =>
      execFile(
        'git',
        args,
        {
          cwd: directory,
          encoding,
          env: { ...gitEnvironment(process.env), ...env },
          killSignal: 'SIGKILL',
          maxBuffer: mostOutput,
          timeout,
          ...ids,
        },
        (error, stdout, stderr) => {
          if (systemCode(error) === 'ENOENT') reject(missingGit(error))
          else resolve({ code: error ? exitOf(error) : 0, stderr, stdout })
        },
      ),
    )
    // git may end without reading it.
    child.stdin?.on('error', () => {})
    // Nor is what it is given from at an end then: whoever gave it knows what to do with the rest.
    if (input instanceof Readable && child.stdin) input.on('error', () => child.stdin?.destroy()).pipe(child.stdin)
    else child.stdin?.end(input)
  })
}

/** Exported for its test. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || kept.has(name))
  return {
    ...Object.fromEntries(rest),
    // No transport at all: what a partial clone lacks is not fetched, by a program its config names.
    GIT_ALLOW_PROTOCOL: '',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  }
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
