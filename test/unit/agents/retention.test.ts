// How many snapshots are kept: what the user has set, and what a moat.yaml, which an agent can write, may say to it.
import { expect, test } from 'vitest'
import { retentionOf } from '../../../src/agents/remember-workspace.js'

test.each([
  [undefined, undefined, 30],
  [10, undefined, 10],
  [undefined, 1, 30],
  [10, 1, 10],
  [10, 200, 200],
  [1_000, 5_000, 1_000],
])('of the user %s, of moat.yaml %s: %s', (own, declared, kept) => {
  expect(retentionOf(own, declared)).toBe(kept)
})
