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
    lifetime.setAgents(1)
    vi.advanceTimersByTime(60_000)
    expect(idle).toBe(0)
    lifetime.setAgents(0)
    vi.advanceTimersByTime(idleWait.afterUse - 1)
    expect(idle).toBe(0)
    vi.advanceTimersByTime(60_000)
    expect(idle).toBe(1)
  })

  it('is there for a container that is started again, however long a busy engine takes from its end to its start', () => {
    const lifetime = create(false)
    lifetime.setAgents(1)
    lifetime.setAgents(0, true)
    vi.advanceTimersByTime(idleWait.afterEnd - 1)
    lifetime.setAgents(1)
    vi.advanceTimersByTime(60_000)
    expect(idle).toBe(0)
    lifetime.setAgents(0, true)
    vi.advanceTimersByTime(idleWait.afterEnd)
    expect(idle).toBe(1)
  })

  it('waits no longer for one that has been removed meanwhile', () => {
    const lifetime = create(false)
    lifetime.setAgents(1)
    lifetime.setAgents(0, true)
    lifetime.setAgents(0)
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
