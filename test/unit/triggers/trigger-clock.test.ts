// When a snapshot is taken while an agent works, by a clock that the test moves.
import { beforeEach, expect, test } from 'vitest'
import type { SnapshotTriggers } from '../../../src/config/snapshots-schema.js'
import { rest, TriggerClock } from '../../../src/triggers/trigger-clock.js'

let time: number
let head: string | undefined
let picture: string
/** What a look at the workspace takes. */
let cost: number
let looks: number
let taken: [at: number, reason: string][]
beforeEach(() => {
  time = 0
  head = 'one'
  picture = 'a'
  cost = 0
  looks = 0
  taken = []
})

function clockOf(triggers: SnapshotTriggers, commit: string | undefined = 'one'): TriggerClock {
  return new TriggerClock({
    commit,
    head: async () => head,
    look: async () => {
      looks += 1
      time += cost
      return picture
    },
    now: () => time,
    take: async (reason) => {
      taken.push([time, reason])
    },
    triggers,
  })
}

/** Has the clock tick until then, as its process does. */
async function until(clock: TriggerClock, end: number): Promise<void> {
  while (time < end) {
    const pause = await clock.tick()
    time += pause
  }
}

test('a commit has one, also the first of all, and one that was there before has none', async () => {
  const clock = clockOf({ commit: true })
  await until(clock, 60_000)
  expect(taken).toEqual([])
  head = 'two'
  await until(clock, 62_000)
  expect(taken.map(([, reason]) => reason)).toEqual(['commit'])
  await until(clock, 300_000)
  expect(taken).toHaveLength(1)
  const first = clockOf({ commit: true }, undefined)
  await first.tick()
  expect(taken).toHaveLength(2)
  expect(looks).toBe(0)
})

test('many commits have one in a while, the last of all too', async () => {
  const clock = clockOf({ commit: true })
  const end = 10 * rest
  for (let commit = 0; time < end; commit += 1) {
    head = `commit ${commit}`
    time += await clock.tick()
  }
  expect(taken.length).toBeGreaterThan(5)
  expect(taken.length).toBeLessThanOrEqual(10)
  const count = taken.length
  head = 'the last'
  await clock.finish()
  expect(taken).toHaveLength(count + 1)
  await clock.finish()
  expect(taken).toHaveLength(count + 1)
})

test('what has been still for a while has one, once', async () => {
  const clock = clockOf({ idle: 30 })
  await until(clock, 25_000)
  picture = 'b'
  await until(clock, 50_000)
  picture = 'c'
  await until(clock, 75_000)
  expect(taken).toEqual([])
  await until(clock, 600_000)
  expect(taken.map(([, reason]) => reason)).toEqual(['idle'])
  expect(taken[0]?.[0]).toBeGreaterThanOrEqual(80_000)
  expect(taken[0]?.[0]).toBeLessThan(95_000)
  picture = 'd'
  await until(clock, 700_000)
  expect(taken).toHaveLength(2)
})

test('what never is still has none, and what is looked at slowly is looked at seldom', async () => {
  const clock = clockOf({ idle: 2 })
  cost = 1_000
  for (let round = 0; time < 600_000; round += 1) {
    picture = `${round}`
    time += await clock.tick()
  }
  expect(taken).toEqual([])
  expect(looks * cost).toBeLessThan(600_000 / 15)
})

test('with both, a commit has the one that stillness would have had', async () => {
  const clock = clockOf({ commit: true, idle: 30 })
  await until(clock, 40_000)
  expect(taken.map(([, reason]) => reason)).toEqual(['idle'])
  picture = 'b'
  await until(clock, 60_000)
  head = 'two'
  await until(clock, 600_000)
  expect(taken.map(([, reason]) => reason)).toEqual(['idle', 'commit'])
})
