// Owns that Caddy judges no path by itself that `decide` refuses for what stands in it.
import { expect, it } from 'vitest'
import { oddRequest, rawUri } from '../../../src/caddy/egress-patterns.js'
import { readPath } from '../../../src/egress/paths.js'

it.each([
  ['/a/b', true],
  ['/a?x#/../b', true],
  ['/a#', false],
  ['/a/#/../../b', false],
  ['/a#?x', false],
  ['/#', false],
])('%s is judged plainly, as it is by decide: %j', (path, plain) => {
  const [{ not: [matcher] = [] }] = oddRequest as [{ not?: { vars_regexp: Record<string, { pattern: string }> }[] }]
  const pattern = matcher?.vars_regexp[rawUri]?.pattern.replace('(?s)', '') ?? ''
  expect(new RegExp(pattern, 's').test(path)).toBe(plain)
  expect(readPath(path) !== undefined).toBe(plain)
})
