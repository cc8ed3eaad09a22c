// What this machine's processor takes for a fixed piece of work: what the time of other processes is compared with.
import { readFileSync } from 'node:fs'

/** Keeps the processor for some 100 ms on a quick machine. Returns the time it took of it, in hundredths of a second. */
export function busyLoop(): number {
  const before = process.cpuUsage()
  for (let turn = 0; turn < 20_000; turn += 1) readFileSync('/proc/self/stat')
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 10_000
}
