// Owns which processes are moat's, for one ~/.moat: proved by what the system says of them, never by a number in a file.
import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { caddyArguments } from '../caddy/caddy-arguments.js'
import type { MoatPaths } from '../config/paths.js'
import { hasOpen } from '../processes/open-files.js'
import {
  endsWithArguments,
  findProcesses,
  type ProcessFacts,
  type ProcessIdentity,
} from '../processes/process-facts.js'
import { hasEnded, signalProcess } from '../processes/same-process.js'

/** How long a Caddy that is asked to end may take; its listeners are free at once, its streams are not. Milliseconds. */
const grace = 300

/**
 * The Caddys that were started for these paths, by this user, the newest first: the program that runs is the one it was
 * called as, and it was called for this home and no other.
 */
export async function ownCaddys(paths: Pick<MoatPaths, 'caddyPid'>): Promise<ProcessFacts[]> {
  const found = await findProcesses(paths.caddyPid)
  return found
    .filter((one) => one.uid === process.geteuid?.() && endsWithArguments(one, caddyArguments(paths)) && isItself(one))
    .toSorted((a, b) => b.startedAt - a.startedAt)
}

/** The supervisor that holds the lock of these paths; undefined when there is none, or the system does not say. */
export async function ownSupervisor(paths: Pick<MoatPaths, 'supervisorLock'>): Promise<ProcessFacts | undefined> {
  const found = (await findProcesses('supervisor.js')).filter(({ pid, uid }) => {
    return pid !== process.pid && uid === process.geteuid?.()
  })
  for (const one of found) if (await holds(one.pid, paths.supervisorLock)) return one
  return undefined
}

/** Ends a process of moat's, by force if it does not go by itself. */
export async function endProcess(one: ProcessIdentity): Promise<void> {
  await signalProcess(one, 'SIGTERM')
  if (await hasEnded(one, grace)) return
  await signalProcess(one, 'SIGKILL')
  await hasEnded(one, grace)
}

/** A program that only calls itself Caddy runs another file than its name says. */
function isItself({ command, program }: ProcessFacts): boolean {
  // A system that tells neither leaves it at the arguments.
  if (program === undefined || typeof command === 'string') return true
  const [name = ''] = command
  if (basename(program) === basename(name)) return true
  try {
    return realpathSync(name) === program
  } catch {
    return false
  }
}

async function holds(pid: number, file: string): Promise<boolean> {
  if (process.platform === 'linux') return hasOpen(pid, file) ?? false
  const asked = promisify(execFile)('lsof', ['-t', '-a', '-p', String(pid), file], { timeout: 5_000 })
  return asked.then(
    ({ stdout }) => stdout.trim() === String(pid),
    () => false,
  )
}
