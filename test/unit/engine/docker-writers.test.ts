// Owns that agents held still are woken again, whatever becomes of who holds them.
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Docker from 'dockerode'
import type { ContainerInfo } from 'dockerode'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DockerWriters } from '../../../src/engine/docker-writers.js'
import { Holds } from '../../../src/engine/holds.js'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
let directory: string
let holds: Holds
let states: Record<string, string>
let done: string[]
let notes: string[]
/** What the engine says instead of doing it. */
let refusals: ((action: string, id: string) => Promise<void> | void)[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-holds-'))
  holds = new Holds(join(directory, 'holds'))
  states = { [a]: 'running', [b]: 'running' }
  done = []
  notes = []
  refusals = []
})
afterEach(() => rmSync(directory, { recursive: true }))

const note = (text: string) => void notes.push(text)
const writers = (address = 'unix:///engine', limits = {}) => {
  const all = { action: 30_000, lock: 30_000, pause: 30_000, ...limits }
  return new DockerWriters(docker as unknown as Docker, address, { holds, limits: all })
}
const left = () => (existsSync(holds.directory) ? readdirSync(holds.directory).filter((name) => name !== 'lock') : [])
const refusal = (statusCode: number, message: string) => Object.assign(new Error(message), { statusCode })

const list = async ({ filters }: { filters?: { status: string[] } } = {}) =>
  Object.entries(states)
    .filter(([, state]) => filters?.status.includes(state) ?? true)
    .map(([Id, State]) => ({
      Id,
      Mounts: [{ Destination: '/workspace', RW: true, Source: '/r' }],
      State,
    })) as ContainerInfo[]

async function change(id: string, action: string, from: string, to: string): Promise<void> {
  for (const refuse of refusals) await refuse(action, id)
  if (states[id] === undefined) throw refusal(404, 'No such container')
  if (states[id] !== from) throw refusal(409, `Container ${id} is ${from === 'paused' ? 'not' : 'already'} paused`)
  states[id] = to
  done.push(`${action} ${id[0]}`)
}

const docker = {
  getContainer: (id: string) => ({
    pause: () => change(id, 'pause', 'running', 'paused'),
    unpause: () => change(id, 'unpause', 'paused', 'running'),
  }),
  listContainers: list,
}

it('holds all of them at once, with a note of each, and wakes them', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let waiting = 0
  refusals.push((action) => {
    if (action !== 'pause') return
    if (++waiting === 2) resolve()
    return promise
  })
  const during = await writers().whileHeld(['/r/x'], note, async () => ({ left: left(), states: { ...states } }))
  expect(during).toEqual({ left: [`${a}.hold`, `${b}.hold`], states: { [a]: 'paused', [b]: 'paused' } })
  expect([states, left(), notes]).toEqual([{ [a]: 'running', [b]: 'running' }, [], []])
})

it('writes nothing down for a path that nobody can change', async () => {
  expect(await writers().whileHeld(['/r', '/elsewhere'], note, async () => existsSync(holds.directory))).toBe(false)
})

it('leaves one alone that its user has paused', async () => {
  states[a] = 'paused'
  await writers().whileHeld(['/r/x'], note, async () => {})
  expect(done).toEqual(['pause b', 'unpause b'])
  expect(states[a]).toBe('paused')
})

it('has one start after the other, so that none wakes what another holds', async () => {
  const one = async () => {
    const before = { ...states }
    await new Promise(setImmediate)
    return [before, { ...states }]
  }
  const both = await Promise.all([1, 2].map(() => writers().whileHeld(['/r/x'], note, one)))
  expect(both.flat()).toEqual(Array(4).fill({ [a]: 'paused', [b]: 'paused' }))
})

it('wakes them when what they were held for fails, or does not end', async () => {
  const failing = writers().whileHeld(['/r/x'], note, () => Promise.reject(new Error('no such image')))
  await expect(failing).rejects.toThrow('no such image')
  const hanging = writers('unix:///engine', { action: 1 }).whileHeld(['/r/x'], note, () => new Promise(() => {}))
  await expect(hanging).rejects.toThrow('What agents are held still for lasted for more than 0.001 seconds.')
  expect([states, left()]).toEqual([{ [a]: 'running', [b]: 'running' }, []])
})

it('wakes those that one has held who was killed: at the next start, and when agents are listed', async () => {
  for (const act of [() => writers().whileHeld(['/r/x'], note, async () => {}), () => writers().listed(list)]) {
    await (await holds.lock(0))?.release()
    for (const id of [a, b]) await holds.add({ address: 'unix:///engine', containerId: id })
    states = { [a]: 'paused' }
    await act()
    expect([states, left()]).toEqual([{ [a]: 'running' }, []])
  }
})

it('leaves them asleep when what they were held for asks for it, and nobody wakes them then', async () => {
  await writers().whileHeld(['/r/x'], note, async (keep) => keep())
  expect([states, left()]).toEqual([{ [a]: 'paused', [b]: 'paused' }, []])
  expect((await writers().listed(list)).map(({ State }) => State)).toEqual(['paused', 'paused'])
  await writers().whileHeld(['/r/x'], note, async () => {})
  expect(states).toEqual({ [a]: 'paused', [b]: 'paused' })
})

it('leaves the notes of other engines alone', async () => {
  await (await holds.lock(0))?.release()
  await holds.add({ address: 'unix:///other', containerId: a })
  states[a] = 'paused'
  expect((await writers().listed(list)).map(({ State }) => State)).toEqual(['paused', 'running'])
  expect(left()).toEqual([`${a}.hold`])
})

it('lists those that are held as running, but not for ever', async () => {
  const states = () =>
    writers()
      .listed(list)
      .then((all) => all.map(({ State }) => State))
  await writers().whileHeld(['/r/x'], note, async () => {
    expect(await states()).toEqual(['running', 'running'])
    utimesSync(join(holds.directory, `${a}.hold`), 1, 1)
    expect(await states()).toEqual(['paused', 'running'])
  })
  expect(await states()).toEqual(['running', 'running'])
})

it('tries again when the engine is away for a moment, and else says how they are woken', async () => {
  let failures = 1
  refusals.push((action, id) => {
    if (action === 'unpause' && id === a && failures-- > 0) throw new Error('connect ECONNREFUSED')
  })
  await writers().whileHeld(['/r/x'], note, async () => {})
  expect([states[a], notes]).toEqual(['running', []])
  failures = Number.POSITIVE_INFINITY
  await writers().whileHeld(['/r/x'], note, async () => {})
  expect(notes).toEqual([expect.stringContaining('Try: docker unpause aaaaaaaaaaaa')])
  expect([states[a], left()]).toEqual(['paused', [`${a}.hold`]])
  failures = 0
  await writers().listed(list)
  expect([states[a], left()]).toEqual(['running', []])
})

it('goes on with a note where containers cannot be paused, and not where one cannot', async () => {
  refusals.push((action) => {
    if (action === 'pause') throw refusal(500, 'cannot pause: cgroups not configured for container')
  })
  expect(await writers().whileHeld(['/r/x'], note, async () => 'done')).toBe('done')
  expect([notes.length, left()]).toEqual([1, []])
  refusals = [
    (action, id) => {
      if (action === 'pause' && id === b) throw refusal(500, 'unable to freeze')
    },
  ]
  await expect(writers().whileHeld(['/r/x'], note, async () => 'done')).rejects.toThrow('unable to freeze')
  expect([states, left()]).toEqual([{ [a]: 'running', [b]: 'running' }, []])
})
