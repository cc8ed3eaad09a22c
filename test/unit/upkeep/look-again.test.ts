import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Looking, lookAgain } from '../../../src/upkeep/look-again.js'

let directory: string
let file: string
let looks: number
let looking: Looking | undefined
let urgent: boolean

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-look-'))
  file = join(directory, 'here', 'a.sock')
  mkdirSync(join(directory, 'here'))
  writeFileSync(file, '')
  looks = 0
  urgent = false
})

afterEach(() => {
  looking?.release()
  rmSync(directory, { recursive: true })
})

const begin = () => {
  looking = lookAgain(
    [file],
    () => {
      looks += 1
    },
    () => urgent,
  )
}

const looked = (times: number) => vi.waitFor(() => expect(looks).toBeGreaterThanOrEqual(times), { timeout: 5_000 })

describe.runIf(process.platform === 'linux')('files that others may remove', () => {
  it('are looked at when one was removed, and when one was made', async () => {
    begin()
    rmSync(file)
    await looked(1)
    writeFileSync(file, '')
    await looked(2)
  })

  it('are looked at in a directory that took the place of theirs', async () => {
    begin()
    renameSync(join(directory, 'here'), join(directory, 'there'))
    mkdirSync(join(directory, 'here'))
    await looked(1)
    const before = looks
    writeFileSync(file, '')
    await looked(before + 1)
  })

  it('are looked at often while their directory is gone', async () => {
    begin()
    rmSync(join(directory, 'here'), { recursive: true })
    await looked(3)
  })
})

describe('how often', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    return () => vi.useRealTimers()
  })

  it('twice a second while something is amiss', () => {
    urgent = true
    begin()
    vi.advanceTimersByTime(5_000)
    expect(looks).toBe(10)
  })

  it('hardly ever while nothing is, and at once when it becomes urgent', () => {
    begin()
    if (process.platform === 'linux') {
      vi.advanceTimersByTime(55_000)
      appendFileSync(join(directory, 'here', 'some.log'), 'a line')
      expect(looks).toBeLessThanOrEqual(1)
    }
    const before = looks
    urgent = true
    looking?.again()
    vi.advanceTimersByTime(500)
    expect(looks).toBeGreaterThan(before)
  })

  it('never once it is released', () => {
    urgent = true
    begin()
    looking?.release()
    looking?.again()
    vi.advanceTimersByTime(120_000)
    expect(looks).toBe(0)
  })
})
