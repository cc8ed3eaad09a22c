// Owns noticing that the programs of a container have come to rest: every thread of theirs waits for something, and none of them has
// run for a moment. What is about to end with an error does not wait: it runs until it ends.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type CgroupPlaces, findThreads, type ThreadPlaces } from './cgroup.js'

/** How often it is looked, and how many looks in a row have to see the same. Milliseconds. */
const looks = { interval: 5, same: 4 }

/** `unknown` where the system does not say, and where they neither rest nor end. */
export type Coming = 'ended' | 'rests' | 'unknown'

/** Resolves when they rest or have ended, or the signal is given. `pid` is the number of the container's first process, as an engine says it. */
export async function comeToRest(
  container: { containerId: string; pid: number },
  signal: AbortSignal,
  places?: CgroupPlaces,
): Promise<Coming> {
  const threads = await findThreads(container, places)
  let before: string | undefined
  let same = 0
  while (threads && !signal.aborted) {
    // An engine removes the group of what has ended, and takes its time to say so.
    if (!existsSync(threads.directory)) return 'ended'
    const now = runsSoFar(threads)
    same = now !== undefined && now === before ? same + 1 : 1
    if (now !== undefined && same === looks.same) return 'rests'
    before = now
    await delay(looks.interval, undefined, { ref: false })
  }
  return 'unknown'
}

/** How often each thread has run until now; undefined while one of them runs or wants to, and where that is not to be seen. */
function runsSoFar({ directory, list, proc }: ThreadPlaces): string | undefined {
  try {
    // What a program in there has put into groups of its own is not on the list.
    if (readdirSync(directory, { withFileTypes: true }).some((entry) => entry.isDirectory())) return undefined
    const ids = readFileSync(join(directory, list), 'utf8').split('\n').filter(Boolean)
    const runs: string[] = []
    for (const id of ids) {
      const stat = readFileSync(join(proc, id, 'stat'), 'utf8')
      // After the name, which may be any text. Whatever waits for a disk is at work.
      if (stat.charAt(stat.lastIndexOf(')') + 2) !== 'S') return undefined
      runs.push(`${id} ${readFileSync(join(proc, id, 'schedstat'), 'utf8')}`)
    }
    return runs.length > 0 ? runs.join('') : undefined
  } catch {
    // A thread has just ended.
    return undefined
  }
}
