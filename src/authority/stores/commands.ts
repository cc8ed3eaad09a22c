// Owns running the commands that change trust stores: as the invoking user, or as root through sudo.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { asRoot, startAsInvokingUser } from '../../config/invoking-user.js'
import { displayPath } from '../../config/paths.js'
import { shellQuote } from '../../config/shell-quote.js'
import { messageOf } from '../../errors.js'
import type { Step, StoreContext } from './store.js'

export interface CommandOutput {
  code: number
  stderr: string
  stdout: string
}

/** Administrators' tools are often not on a user's PATH. */
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** The first of these programs that there is. */
export async function findProgram(
  names: readonly string[],
  { env, systemRoot }: Pick<StoreContext, 'env' | 'systemRoot'>,
): Promise<string | undefined> {
  const own = (env.PATH ?? '').split(delimiter).filter(Boolean)
  const directories = [...own, ...systemDirectories.map((directory) => join(systemRoot, directory))]
  for (const name of names) {
    for (const directory of directories) {
      const path = join(directory, name)
      const found = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return path
    }
  }
  return undefined
}

/** A command as a step. */
export function command(argv: readonly string[], { root = false } = {}): Step {
  const [program = '', ...args] = argv
  const sudo = root && process.getuid?.() !== 0 ? ['sudo'] : []
  return {
    run: () => runLoudly([...sudo, ...argv], root),
    text: [...sudo, basename(program), ...args.map(word)].join(' '),
  }
}

/** A word of a command as a person would type it. */
function word(text: string): string {
  const path = displayPath(text)
  return path.startsWith('~/') ? `~/${shellQuote(path.slice(2))}` : shellQuote(text)
}

/** Its output goes to stderr: stdout is for data. Rejects when it fails. */
async function runLoudly(argv: readonly string[], root: boolean): Promise<void> {
  // Without a terminal nobody can type a password, so sudo must not wait for one.
  const [program = '', ...args] = argv[0] === 'sudo' && !process.stdin.isTTY ? ['sudo', '-n', ...argv.slice(1)] : argv
  const options = { stdio: [process.stdin.isTTY ? 'inherit' : 'ignore', 2, 2] as ('ignore' | 'inherit' | number)[] }
  const start = (ids: { gid?: number; uid?: number }) => spawn(program, args, { ...options, ...ids })
  const child = root ? await asRoot(() => start({})) : startAsInvokingUser(start)
  const code = await exitCode(child)
  if (code !== 0) throw new Error(`${program} failed with exit code ${code}`)
}

/** Runs a command as the invoking user and gives what it says. */
export async function ask(
  argv: readonly string[],
  { env = process.env, timeout = 30_000 }: { env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<CommandOutput> {
  const [program = '', ...args] = argv
  const child = startAsInvokingUser((ids) =>
    spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout, ...ids }),
  )
  const output = { stderr: '', stdout: '' }
  for (const stream of ['stderr', 'stdout'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk) => {
      output[stream] += chunk
    })
  }
  return { code: await exitCode(child), ...output }
}

async function exitCode(child: ChildProcess): Promise<number> {
  try {
    const [code] = await once(child, 'close')
    return typeof code === 'number' ? code : 1
  } catch (error) {
    throw new Error(`${child.spawnfile} cannot be run: ${messageOf(error)}`, { cause: error })
  }
}
