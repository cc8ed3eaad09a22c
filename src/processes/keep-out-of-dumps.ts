// Owns that the memory of a process which knows values of grants is in no dump of it, should it crash.
import { writeFileSync } from 'node:fs'

let isDone = false

/**
 * Linux leaves the memory of this process, and of all that it starts from now on, out of core dumps, wherever those go: what
 * remains says where it crashed. Elsewhere nobody dumps unless they are told to.
 */
export function keepOutOfDumps(): void {
  if (isDone || process.platform !== 'linux') return
  isDone = true
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // A kernel that makes no dumps.
  }
}
