// Owns looking after a process by its number: one that is nobody's child any more, perhaps.
import { readFile } from 'node:fs/promises'

export async function readPid(path: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10)
  return Number.isInteger(pid) ? pid : undefined
}

export function isAlive(pid: number): boolean {
  return signal(pid, 0)
}

/** False when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}

/** True once the process is gone; false when it still lives after `deadline` milliseconds. */
export async function hasEnded(pid: number, deadline: number): Promise<boolean> {
  const end = performance.now() + deadline
  while (isAlive(pid)) {
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return true
}
