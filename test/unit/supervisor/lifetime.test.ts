import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { idleWait, Lifetime } from '../../../src/supervisor/lifetime.js'

describe('Lifetime', () => {
  let idle: number
  const create = (kept: boolean) => new Lifetime(kept, () => (idle += 1))

  beforeEach(() => {
    idle = 0
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('ends once, a moment after the last agent is gone', () => {
    const lifetime = create(false)
    lifetime.setAgents({ ended: [], live: ['run_1'] })
    vi.advanceTimersByTime(60_000)
    expect(idle).toBe(0)
    lifetime.setAgents({ ended: [], live: [] })
    vi.advanceTimersByTime(idleWait.afterUse - 1)
    expect(idle).toBe(0)
    vi.advanceTimersByTime(60_000)
    expect(idle).toBe(1)
  })

  it('waits for the last agent to come back while its container is there, and not for those that had ended before', () => {
    const lifetime = create(false)
    lifetime.setAgents({ ended: ['run_0'], live: ['run_1'] })
    lifetime.setAgents({ ended: ['run_0', 'run_1'], live: [] })
    vi.advanceTimersByTime(idleWait.afterEnd - 1)
    lifetime.setAgents({ ended: ['run_0'], live: ['run_1'] })
    vi.advanceTimersByTime(60_000)
    lifetime.setAgents({ ended: ['run_0', 'run_1'], live: [] })
    lifetime.setAgents({ ended: ['run_0', 'run_1'], live: [] })
    vi.advanceTimersByTime(idleWait.afterEnd - 1)
    expect(idle).toBe(0)
    lifetime.setAgents({ ended: ['run_0'], live: [] })
    vi.advanceTimersByTime(idleWait.afterUse)
    expect(idle).toBe(1)
  })

  it('waits longer for its first client', () => {
    create(false)
    vi.advanceTimersByTime(idleWait.beforeUse - 1)
    expect(idle).toBe(0)
    vi.advanceTimersByTime(1)
    expect(idle).toBe(1)
  })

  it('stays while a client holds it, and counts each release once', () => {
    const lifetime = create(false)
    const release = lifetime.hold()
    const other = lifetime.hold()
    release()
    release()
    vi.advanceTimersByTime(60_000)
    expect(idle).toBe(0)
    other()
    vi.advanceTimersByTime(idleWait.afterUse)
    expect(idle).toBe(1)
  })

  it('stays for good when kept, from the start or later', () => {
    create(true)
    const later = create(false)
    later.keep()
    vi.advanceTimersByTime(600_000)
    expect(idle).toBe(0)
  })
})
