// Owns the processes of a container as the kernel groups them: found without the engine, stopped and let go on within a millisecond.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CgroupPlaces, cgroupPlaces, parseGroups } from './cgroup.js'

/**
 * Rounds of looking for processes that go on. One that waits for a processor stops before it does anything else; who starts others all
 * the time may win, and is left to the engine.
 */
const mostRounds = 40

/** The file that lists a container's processes; undefined where the system does not say, as for an engine in a virtual machine. */
export function findGroup(containerId: string, { mount, proc }: CgroupPlaces = cgroupPlaces): string | undefined {
  if (!/^[0-9a-f]{12,}$/.test(containerId)) return undefined
  for (const pid of readdirSync(proc).filter((name) => /^\d+$/.test(name))) {
    const text = read(join(proc, pid, 'cgroup'))
    // Groups of containers are named after them, and nobody inside can name one.
    if (!text?.includes(containerId)) continue
    for (const [controller, path] of parseGroups(text)) {
      if (!path.includes(containerId) || path.split('/').includes('..')) continue
      for (const place of [join(mount, controller), join(mount, 'unified')]) {
        const file = join(place, path, 'cgroup.procs')
        if (read(file)?.split('\n').includes(pid)) return file
      }
    }
  }
  return undefined
}

/**
 * Stops those of a group that are not stopped. `before` is called with each lot that is about to be. Not those of another user, as an
 * agent's are where the engine has its own; returns false if some of them do not stand still yet.
 */
export function stopGroup(file: string, before: (pids: number[]) => void): boolean {
  const [others, stopped] = [new Set<number>(), new Set<number>()]
  for (let round = 0; round < mostRounds; round += 1) {
    const states = pidsIn(file).map((pid) => [pid, stateOf(pid)] as const)
    const going = states.filter(([pid, state]) => !others.has(pid) && !/^[TtXZ]?$/.test(state)).map(([pid]) => pid)
    if (going.length === 0) return others.size === 0
    const fresh = going.filter((pid) => !stopped.has(pid))
    if (fresh.length > 0) before(fresh)
    for (const pid of going) {
      stopped.add(pid)
      if (!signal(pid, 'SIGSTOP')) others.add(pid)
    }
  }
  return false
}

/** Children first: a shell must not see that they were stopped, and take the terminal from them. */
export function continueGroup(file: string, pids: Iterable<number>): void {
  const there = new Set(pidsIn(file))
  for (const pid of [...pids].filter((one) => there.has(one)).toSorted((a, b) => b - a)) signal(pid, 'SIGCONT')
}

/** None once it is gone. Zero is a process that is not seen from here. */
function pidsIn(file: string): number[] {
  return (read(file) ?? '')
    .split('\n')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 1)
}

/** Empty when it is gone. */
function stateOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`) ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).charAt(0)
}

function signal(pid: number, name: 'SIGCONT' | 'SIGSTOP'): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
