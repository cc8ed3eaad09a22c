import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keepMemorySmall } from '../../../src/supervisor/small-process.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

it('a heap is looked through after the start, and then only when it has grown', () => {
  let used = 20_000_000
  const collect = vi.fn(() => {
    used = 12_000_000
  })
  keepMemorySmall(collect as unknown as NodeJS.GCFunction, () => used)
  vi.advanceTimersByTime(6_000)
  expect(collect).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(600_000)
  expect(collect).toHaveBeenCalledTimes(1)
  used = 14_000_000
  vi.advanceTimersByTime(60_000)
  expect(collect).toHaveBeenCalledTimes(2)
})
