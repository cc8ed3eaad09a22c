// Owns looking after one process: whether it still lives, signals to it and to no other, and its end.
import { type ProcessIdentity, readProcess } from './process-facts.js'

/** Between two looks at a process that is to end. Milliseconds. */
const interval = 10

export async function isRunning({ pid, startedAt }: ProcessIdentity): Promise<boolean> {
  return (await readProcess(pid))?.startedAt === startedAt
}

/** False when the process has ended, or is not this user's. Whoever has its number by now gets nothing. */
export async function signalProcess(one: ProcessIdentity, name: NodeJS.Signals): Promise<boolean> {
  if (!(await isRunning(one))) return false
  try {
    process.kill(one.pid, name)
    return true
  } catch {
    return false
  }
}

/** True once the process is gone; false when it still lives after `deadline` milliseconds. */
export async function hasEnded(one: ProcessIdentity, deadline: number): Promise<boolean> {
  const end = performance.now() + deadline
  while (await isRunning(one)) {
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
  return true
}
