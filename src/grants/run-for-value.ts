// Owns running the user's program that prints a secret: without a terminal, in its own group, and not for ever.
import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { systemCode } from '../errors.js'

/** Milliseconds. */
const usualTimeout = 30_000
/** Bytes of its output. */
const mostOutput = 64 * 1024

export interface RunForValueOptions {
  env: NodeJS.ProcessEnv
  timeout?: number
  /** Nothing of what it complains of is told: it may show what it was given, as `curl -v` does. For errors that are written down. */
  unheard?: boolean | undefined
}

/** What it printed. Rejects with an Error whose message goes on after a colon; of what it printed only a last complaint is in there. */
export async function runForValue(
  [program, ...args]: readonly [string, ...string[]],
  { env, timeout = usualTimeout, unheard = false }: RunForValueOptions,
): Promise<string> {
  const child = startAsInvokingUser((ids) =>
    spawn(program, args, { cwd: homedir(), detached: true, env, stdio: ['ignore', 'pipe', 'pipe'], ...ids }),
  )
  const end = () => {
    // With whatever it has started.
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {}
  }
  let [late, long, complaint] = [false, false, '']
  const pieces: Buffer[] = []
  let size = 0
  const timer = setTimeout(() => {
    late = true
    end()
  }, timeout)
  child.stderr.on('data', (piece: Buffer) => {
    complaint = `${complaint}${piece.toString()}`.slice(-1000)
  })
  child.stdout.on('data', (piece: Buffer) => {
    size += piece.length
    if (size <= mostOutput) pieces.push(piece)
    else {
      long = true
      end()
    }
  })
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (late) throw new Error(`${program} did not end within ${timeout / 1000} s`)
    if (long) throw new Error(`${program} printed more than ${mostOutput / 1024} KiB`)
    if (code !== 0) throw new Error(`its command failed${unheard ? '' : lastLine(complaint)}`)
    return Buffer.concat(pieces).toString()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new Error(`there is no program ${program} here`, { cause: error })
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** What the program itself says of it. */
function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1)?.trim().replace(/\p{C}/gu, '').replace(/\.$/, '').slice(0, 200)
  return line ? ` (${line})` : ''
}
