// Owns that what a process has in its memory is in no core dump, nor what those have that it starts.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { keepOutOfDumps } from '../../../src/processes/keep-out-of-dumps.js'

it.runIf(process.platform === 'linux')('leaves nothing of the memory for a dump', () => {
  keepOutOfDumps()
  expect(readFileSync('/proc/self/coredump_filter', 'utf8')).toBe('00000000\n')
  const child = spawnSync('sh', ['-c', 'cat /proc/self/coredump_filter'], { encoding: 'utf8' })
  expect(child.stdout).toBe('00000000\n')
})
