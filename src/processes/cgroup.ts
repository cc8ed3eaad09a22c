// Owns what the kernel's control groups say of a container: an engine asked the same takes a second, in which it waits.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface CgroupUsage {
  /** Of all its processes together, since it began. Microseconds. */
  cpuTime: number
  /** Bytes, as engines count them: what the kernel keeps for files included. */
  memory: number
}

/** Where the files of control groups are mounted, and where processes say theirs; others in tests. */
export interface CgroupPlaces {
  mount: string
  proc: string
}

export const cgroupPlaces: CgroupPlaces = { mount: '/sys/fs/cgroup', proc: '/proc' }

/** Where it stands which threads a container has, and what each of them does. */
export interface ThreadPlaces {
  /** Of the control group. */
  directory: string
  /** The file with the numbers of its threads, a line each. */
  list: string
  proc: string
}

interface Container {
  containerId: string
  /** Of its first process, as an engine says it. */
  pid: number
}

/**
 * Of the container in which a process is; undefined when the system does not say, as for an engine in a virtual machine. The
 * number is the engine's word and may be that of another machine's process: it counts only in a group that is named after
 * the container.
 */
export async function readCgroup(
  container: Container,
  { mount, proc }: CgroupPlaces = cgroupPlaces,
): Promise<CgroupUsage | undefined> {
  try {
    const [cpu, memory, unified] = await groupsOf(container, proc, ['cpuacct', 'memory', ''])
    if (cpu !== undefined && memory !== undefined) {
      const time = await readNumber(join(mount, 'cpuacct', cpu, 'cpuacct.usage'))
      return { cpuTime: time / 1_000, memory: await readNumber(join(mount, 'memory', memory, 'memory.usage_in_bytes')) }
    }
    if (unified === undefined) return undefined
    const [, time] = /^usage_usec (\d+)$/m.exec(await readFile(join(mount, unified, 'cpu.stat'), 'utf8')) ?? []
    if (time === undefined) return undefined
    return { cpuTime: Number(time), memory: await readNumber(join(mount, unified, 'memory.current')) }
  } catch {
    return undefined
  }
}

/** As readCgroup. */
export async function findThreads(
  container: Container,
  { mount, proc }: CgroupPlaces = cgroupPlaces,
): Promise<ThreadPlaces | undefined> {
  try {
    const [pids, unified] = await groupsOf(container, proc, ['pids', ''])
    if (pids !== undefined) return { directory: join(mount, 'pids', pids), list: 'tasks', proc }
    return unified === undefined ? undefined : { directory: join(mount, unified), list: 'cgroup.threads', proc }
  } catch {
    return undefined
  }
}

/** The container's group of each of these controllers. */
async function groupsOf(
  { containerId, pid }: Container,
  proc: string,
  controllers: readonly string[],
): Promise<(string | undefined)[]> {
  if (!Number.isSafeInteger(pid) || pid <= 0 || containerId === '') return []
  const groups = parseGroups(await readFile(join(proc, String(pid), 'cgroup'), 'utf8'))
  return controllers.map((controller) => {
    const path = groups.get(controller)
    return path?.includes(containerId) && !path.split('/').includes('..') ? path : undefined
  })
}

/** By controller; the unified hierarchy's has no name. */
export function parseGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    for (const controller of controllers.split(',')) groups.set(controller, path)
  }
  return groups
}

async function readNumber(file: string): Promise<number> {
  const number = Number.parseInt(await readFile(file, 'utf8'), 10)
  if (!Number.isSafeInteger(number)) throw new Error(`${file} has no number`)
  return number
}
