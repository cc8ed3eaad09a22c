// Which services are left alone: what an agent has, and what somebody is starting an agent for.
import { expect, it } from 'vitest'
import type { ServiceContainer } from '../../../src/engine/services.js'
import { findOrphans, removeOrphans, removeServicesOf } from '../../../src/services/remove-services.js'

const starter = { pid: 7, startedAt: 1 }
const service = (containerId: string, rest: Partial<ServiceContainer> = {}): ServiceContainer => ({
  agentLives: false,
  containerId,
  name: 'redis',
  runId: `run_${containerId}`,
  starter,
  ...rest,
})

function engine(...looks: ServiceContainer[][]) {
  const removed: string[] = []
  return {
    remove: async (containerId: string) => void removed.push(containerId),
    removed,
    services: { list: async () => (looks.length > 1 ? looks.shift() : looks[0]) ?? [] },
  }
}

it('finds those without an agent whose starter has ended', async () => {
  const all = [service('orphan'), service('used', { agentLives: true }), service('nobodys', { starter: undefined })]
  expect((await findOrphans(engine(all), async () => false)).map(({ containerId }) => containerId)).toEqual([
    'orphan',
    'nobodys',
  ])
  expect((await findOrphans(engine(all), async () => true)).map(({ containerId }) => containerId)).toEqual(['nobodys'])
})

it('leaves one whose agent came while it looked, and whose starter has ended since', async () => {
  const late = engine([service('late')], [service('late', { agentLives: true })])
  expect(await findOrphans(late, async () => false)).toEqual([])
})

it('keeps the proxy up while it removes some, and not for a look', async () => {
  const calls: string[] = []
  const hold = () => {
    calls.push('held')
    return () => void calls.push('released')
  }
  await removeOrphans(engine([service('used', { agentLives: true })]), hold)
  expect(calls).toEqual([])
  const all = engine([service('a', { starter: undefined })])
  expect(await removeOrphans(all, hold)).toHaveLength(1)
  expect([all.removed, calls]).toEqual([['a'], ['held', 'released']])
})

it('removes those of a run and of no other', async () => {
  const all = engine([service('a'), service('b'), service('c', { runId: 'run_a' })])
  await removeServicesOf(all, ['run_a'])
  expect(all.removed).toEqual(['a', 'c'])
})
