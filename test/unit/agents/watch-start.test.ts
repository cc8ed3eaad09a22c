// How long the start of a detached agent is watched, by what its programs come to.
import { expect, it } from 'vitest'
import { watchStart } from '../../../src/agents/watch-start.js'
import type { Coming } from '../../../src/processes/at-rest.js'

const never = 600_000

/** What became of the signal that ends the looking. */
function programs(what: Coming | 'go on') {
  const signals: AbortSignal[] = []
  const comeToRest = (_: string, signal: AbortSignal) => {
    signals.push(signal)
    return what === 'go on' ? new Promise<Coming>(() => {}) : Promise.resolve(what)
  }
  return { comeToRest, signals }
}

it('ends when they rest', async () => {
  const { comeToRest, signals } = programs('rests')
  await watchStart({ comeToRest }, 'id', { told: never, usual: never })
  expect(signals[0]?.aborted).toBe(true)
})

it('ends after a while when they go on, or nobody knows, and nobody looks any more', async () => {
  for (const what of ['go on', 'unknown'] as const) {
    const { comeToRest, signals } = programs(what)
    await watchStart({ comeToRest }, 'id', { told: never, usual: 5 })
    expect(signals[0]?.aborted).toBe(true)
  }
})

it('waits for the engine to tell of an end, but not for ever', async () => {
  const { comeToRest } = programs('ended')
  const early = Promise.race([
    watchStart({ comeToRest }, 'id', { told: never, usual: 1 }).then(() => 'over'),
    new Promise((resolve) => setTimeout(() => resolve('waits'), 50)),
  ])
  expect(await early).toBe('waits')
  await watchStart({ comeToRest }, 'id', { told: 5, usual: never })
})
