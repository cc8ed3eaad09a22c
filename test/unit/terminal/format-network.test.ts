// Owns how an entry of the network log reads.
import { expect, it } from 'vitest'
import type { NetworkLogEntry } from '../../../src/egress/policy.js'
import { formatLogEntry } from '../../../src/terminal/format-network.js'

const entry: NetworkLogEntry = {
  agent: 'my-app',
  bytesIn: 2_000,
  bytesOut: 10,
  duration: 3,
  host: 'a.test',
  port: 443,
  reason: 'rule',
  rule: '*.test',
  runId: 'run_0123456789ab',
  time: 'T',
  verdict: 'allowed',
}

it.each([
  [{}, 'T  allowed  my-app  a.test  *.test  10 B out, 2.0 kB in, 3 ms'],
  [
    { bytesIn: 0, bytesOut: 0, reason: 'no such host' },
    'T  allowed  my-app  a.test  *.test (no such host)  0 B out, 0 B in, 3 ms',
  ],
  [
    { reason: 'loopback address 127.0.0.1', verdict: 'blocked' as const },
    'T  blocked  my-app  a.test  *.test (loopback address 127.0.0.1)',
  ],
  [{ method: 'GET', path: '/x', port: 80 }, 'T  allowed  my-app  GET a.test/x  *.test  10 B out, 2.0 kB in, 3 ms'],
])('%j', (changes, line) => {
  expect(formatLogEntry({ ...entry, ...changes })).toBe(line)
})

it('of no rule says so', () => {
  const { rule: _, ...without } = entry
  expect(formatLogEntry({ ...without, reason: 'no rule', verdict: 'blocked' })).toBe(
    'T  blocked  my-app  a.test  (no rule)',
  )
})
