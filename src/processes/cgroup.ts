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

/**
 * Of the container in which a process is; undefined when the system does not say, as for an engine in a virtual machine. The
 * number is the engine's word and may be that of another machine's process: it counts only in a group that is named after
 * the container.
 */
export async function readCgroup(
  { containerId, pid }: { containerId: string; pid: number },
  { mount, proc }: CgroupPlaces = cgroupPlaces,
): Promise<CgroupUsage | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0 || containerId === '') return undefined
  try {
    const groups = parseGroups(await readFile(join(proc, String(pid), 'cgroup'), 'utf8'))
    const group = (controller: string) => {
      const path = groups.get(controller)
      return path?.includes(containerId) && !path.split('/').includes('..') ? path : undefined
    }
    const [cpu, memory, unified] = ['cpuacct', 'memory', ''].map(group)
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
