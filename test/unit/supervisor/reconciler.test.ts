// What becomes of looks at the agents while the engine has let go of the watch: they wait for one that is back at once, and for no other.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Engine } from '../../../src/engine/engine.js'
import type { WatchHandlers } from '../../../src/engine/watch-agents.js'
import { Reconciler } from '../../../src/supervisor/reconciler.js'

let lose: () => void
let there: boolean
let stop: AbortController
let reconciler: Reconciler

beforeEach(async () => {
  vi.useFakeTimers()
  there = true
  stop = new AbortController()
  const engine = {
    address: 'unix:///engine.sock',
    listAgents: async () => ({ agents: [], unreadable: [], unsealed: [] }),
    watch: async ({ onEnd }: WatchHandlers) => {
      lose = () => onEnd(new Error('the stream ended'))
    },
  } as unknown as Engine
  reconciler = new Reconciler({
    connect: async () => {
      if (there) return engine
      throw new Error('nobody listens')
    },
    discover: async (agents) => [...agents],
    judge: (agents) => agents,
    log: () => {},
    onAgents: async () => {},
    signal: stop.signal,
  })
  await reconciler.start()
})
afterEach(async () => {
  stop.abort()
  await vi.runAllTimersAsync()
  vi.useRealTimers()
})

it('waits for an engine that is back at once', async () => {
  lose()
  const look = reconciler.reconcile()
  expect(reconciler.engine).toBeUndefined()
  await vi.advanceTimersByTimeAsync(300)
  await look
  expect(reconciler.engine).toBeDefined()
})

it('does not wait long for one that is not, nor at all for one that has been away', async () => {
  there = false
  lose()
  const look = expect(reconciler.reconcile()).rejects.toThrow('the container engine does not answer')
  await vi.advanceTimersByTimeAsync(3_000)
  await look
  const start = performance.now()
  const later = expect(reconciler.reconcile()).rejects.toThrow('the container engine does not answer')
  await vi.advanceTimersByTimeAsync(0)
  await later
  expect(performance.now()).toBe(start)
})

it('finds it again when it is back much later', async () => {
  there = false
  lose()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(reconciler.engine).toBeUndefined()
  there = true
  await vi.advanceTimersByTimeAsync(5_000)
  await reconciler.reconcile()
  expect(reconciler.engine).toBeDefined()
})
