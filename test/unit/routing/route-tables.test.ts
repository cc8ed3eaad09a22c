// Tables that follow each other are what each would be by itself, and have what did not change as it was.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Agent } from '../../../src/routing/agent.js'
import { changesOf } from '../../../src/routing/changes.js'
import { routeTable } from '../../../src/routing/route-table.js'
import { RouteTables } from '../../../src/routing/route-tables.js'
import { agents } from './arbitraries.js'

/** Agents that come, go, change, and list each other. */
const histories = agents.chain((all) => {
  const different = all.map(
    (agent, index): Agent => ({ ...agent, runId: `run_${`${index}`.padStart(12, '0')}`, wayIn: 'sockets' }),
  )
  const peers = different.map(({ name }) => name)
  const listing = different.map(
    (agent): Agent => ({ ...agent, forwards: [1], network: { host: [], peers, policy: 'permissive', rules: [] } }),
  )
  const one = fc.integer({ max: 2, min: 0 })
  return fc.array(
    fc
      .array(one, { maxLength: all.length, minLength: all.length })
      .map((choices) =>
        choices.flatMap((choice, index) => [undefined, different[index], listing[index]][choice] ?? []),
      ),
    { maxLength: 5 },
  )
})

it('are what each would be by itself', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const tables = new RouteTables('localhost')
      for (const present of history) expect(tables.of(present)).toEqual(routeTable(present, 'localhost'))
    }),
  )
})

it('have the entries of agents that did not change as they were, and the lists too', () => {
  const agent = (name: string): Agent => ({
    containerId: name,
    createdAt: '2025-01-01T00:00:00.000Z',
    endpoints: [{ name: 'web', port: 3000, type: 'http' }],
    keep: false,
    name,
    published: {},
    routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
    runId: `run_00000000000${name}`,
    state: 'running',
    wayIn: 'sockets',
    workspace: '/src',
  })
  const [a, b, c] = [agent('a'), agent('b'), agent('c')]
  const tables = new RouteTables('localhost')
  const before = tables.of([a, c])
  const after = tables.of([a, b, c])
  expect(after.upstreams).toBe(before.upstreams)
  const { added, removed } = changesOf(before.doors, after.doors)
  expect([added.map(({ host }) => host), removed]).toEqual([['b.localhost', 'web.b.localhost'], []])
  expect(tables.of([a, b, c])).toBe(after)
})

it('changes count each of several equal entries', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ max: 3, min: 0 })), fc.array(fc.integer({ max: 3, min: 0 })), (before, after) => {
      const { added, removed } = changesOf(before, after)
      const sorted = (list: number[]) => list.toSorted((one, other) => one - other)
      const kept = [...before]
      for (const entry of removed) kept.splice(kept.indexOf(entry), 1)
      expect(sorted([...kept, ...added])).toEqual(sorted(after))
    }),
  )
})
