import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Coalescer } from '../../../src/supervisor/coalescer.js'

describe('Coalescer', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('runs the first request at once and the following ones together, an interval later', async () => {
    const runs: number[] = []
    const coalescer = new Coalescer(async () => void runs.push(performance.now()), 1_000)
    const start = performance.now()
    await coalescer.request()
    const later = Promise.all([coalescer.request(), coalescer.request(), coalescer.request()])
    await vi.advanceTimersByTimeAsync(999)
    expect(runs).toEqual([start])
    await vi.advanceTimersByTimeAsync(1)
    await later
    expect(runs).toEqual([start, start + 1_000])
  })

  it('answers a request at once when there is nothing to do', async () => {
    let runs = 0
    let needed = true
    const action = async () => {
      runs += 1
      needed = false
    }
    const coalescer = new Coalescer(action, 1_000, () => needed)
    await coalescer.request()
    await coalescer.request()
    expect(runs).toBe(1)
    needed = true
    const later = coalescer.request()
    await vi.advanceTimersByTimeAsync(1_000)
    await later
    expect(runs).toBe(2)
  })

  it('answers a request made during a run with a run that began after it', async () => {
    let value = 1
    const seen: number[] = []
    const gate = Promise.withResolvers<void>()
    const coalescer = new Coalescer(async () => {
      const read = value
      if (read === 1) await gate.promise
      seen.push(read)
    }, 0)
    const first = coalescer.request()
    await vi.advanceTimersByTimeAsync(0)
    value = 2
    const second = coalescer.request()
    gate.resolve()
    await Promise.all([first, second])
    expect(seen).toEqual([1, 2])
  })

  it('tells the error of a run to those who asked for it, and runs again for the next', async () => {
    let runs = 0
    const coalescer = new Coalescer(async () => {
      runs += 1
      if (runs === 1) throw new Error('refused')
    }, 0)
    await expect(coalescer.request()).rejects.toThrow('refused')
    await coalescer.request()
    expect(runs).toBe(2)
  })
})
