// Owns how and when an agent ended, as data and in words. Pure.
import { formatAge } from './format-age.js'

/** As the engine knows it, of a container that is still there. */
export interface AgentEnd {
  /** ISO 8601. */
  at: string
  exitCode: number
  /** Bytes the container could have; present when it, or something in it, was killed for wanting more. 0: no limit of its own. */
  outOfMemory?: number
}

/** A shell's exit codes for a program that a signal has ended, from 129 on; containers have Linux's numbers. */
const signals = 'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM'.split(' ')

/** `exit code 137 (SIGKILL), out of memory at the limit of 64 MB (container.memory)`. */
export function describeEnd({ exitCode, outOfMemory }: Omit<AgentEnd, 'at'>): string {
  const signal = signalOf(exitCode)
  return [
    `exit code ${exitCode}${signal === undefined ? '' : ` (${signal})`}`,
    ...(outOfMemory === undefined ? [] : [describeMemory(outOfMemory)]),
  ].join(', ')
}

/** For a table: `(137, out of memory) 2m ago`. */
export function describeEndBriefly({ at, exitCode, outOfMemory }: AgentEnd, now: number): string {
  return `(${exitCode}${outOfMemory === undefined ? '' : ', out of memory'}) ${formatAge(at, now)}`
}

function describeMemory(limit: number): string {
  if (limit === 0) return 'killed because memory ran out on this machine'
  return `out of memory at the limit of ${Math.round(limit / 1024 ** 2)} MB (container.memory)`
}

function signalOf(exitCode: number): string | undefined {
  const name = signals[exitCode - 129]
  return name === undefined ? undefined : `SIG${name}`
}
