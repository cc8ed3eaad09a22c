// Whom moat greets in containers, how often, and what is known of it meanwhile; the greeting itself is made up.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { GreetOptions, greetServer } from '../../../src/doors/greet-server.js'
import type { Agent } from '../../../src/routing/agent.js'
import type { Greeting } from '../../../src/routing/greeting.js'
import { Greetings } from '../../../src/supervisor/greetings.js'

interface Greeted {
  answer: (greeting: Greeting | undefined) => void
  options: GreetOptions
  port: number
}

const route = { endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }
const agent = {
  containerId: 'one',
  endpoints: [{ name: 'web', type: 'http' }],
  published: { 2345: 12_345, 3000: 13_000 },
  routes: [route],
  state: 'running',
} as unknown as Agent
const listeners = [{ loopback: false, port: 3000 }]

let greeted: Greeted[]
let greetings: Greetings

const greet = ((target: { port: number }, _: string, options: GreetOptions) =>
  new Promise((answer) => {
    greeted.push({ answer, options, port: target.port })
  })) as unknown as typeof greetServer

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  later(1)
  greeted = []
  greetings = new Greetings({ greet, paths: { agents: '/nonexistent', proxy: '/nonexistent' }, uid: 0 })
})
afterEach(() => vi.useRealTimers())

/** Begins, and lets whoever is greeted answer so. The number of those who were. */
async function answered(greeting: Greeting | undefined, { asks = false, failed = false } = {}): Promise<number> {
  const before = greeted.length
  greetings.begin(agent, listeners, failed)
  await Promise.resolve()
  for (const one of greeted.slice(before)) {
    if (asks && one.options.mayAsk?.() === false) one.answer(undefined)
    else one.answer(greeting)
  }
  await greetings.settled([agent])
  return greeted.length - before
}
const later = (seconds: number) => void vi.advanceTimersByTime(seconds * 1_000)

it('greets a server once however many ask meanwhile, and keeps nobody waiting', async () => {
  for (let count = 0; count < 3; count += 1) greetings.begin(agent, listeners, count > 1)
  expect(greetings.of(agent)).toEqual({})
  expect(greeted.length).toBe(1)
  greeted[0]?.answer({ kind: 'tls' })
  await greetings.settled([agent])
  expect(greetings.of(agent)).toEqual({ web: { kind: 'tls' } })
})

it('greets no more than 32 at the same time, the others after them', async () => {
  const agents = Array.from({ length: 70 }, (_, index) => ({ ...agent, containerId: `${index}` }))
  for (const one of agents) greetings.begin(one, listeners, false)
  await Promise.resolve()
  expect(greeted.length).toBe(32)
  while (greeted.length > 0) {
    greeted.shift()?.answer({ kind: 'proper' })
    await new Promise(setImmediate)
    expect(greeted.length).toBeLessThanOrEqual(32)
  }
  await greetings.settled(agents)
  expect(agents.map((one) => greetings.of(one))).toEqual(agents.map(() => ({ web: { kind: 'proper' } })))
})

it('believes a server that is as it should be until somebody has no answer, and another for two seconds', async () => {
  expect(await answered({ kind: 'tls' })).toBe(1)
  later(1)
  expect(await answered({ kind: 'tls' })).toBe(0)
  later(2)
  expect(greetings.of(agent)).toEqual({ web: { kind: 'tls' } })
  expect(await answered({ kind: 'proper' })).toBe(1)
  later(3_600)
  expect(await answered({ kind: 'tls' })).toBe(0)
  expect(greetings.of(agent)).toEqual({ web: { kind: 'proper' } })
  expect(await answered({ kind: 'other' }, { failed: true })).toBe(1)
  expect(greetings.of(agent)).toEqual({ web: { kind: 'other' } })
})

it('shows no greeting of long ago while it is renewed', async () => {
  await answered({ kind: 'tls' })
  later(3_600)
  greetings.begin(agent, listeners, false)
  expect(greetings.of(agent)).toEqual({})
  greeted[1]?.answer({ kind: 'tls' })
  await greetings.settled([agent])
  expect(greetings.of(agent)).toEqual({ web: { kind: 'tls' } })
})

it('leaves a server of which nothing is known alone for longer and longer, up to a minute', async () => {
  const times: number[] = []
  for (let second = 0; second < 240; second += 1) {
    if ((await answered(undefined)) === 1) times.push(second)
    later(1)
  }
  expect(times).toEqual([0, 2, 6, 14, 30, 62, 122, 182])
})

it('never sends a second request to a server that has left one without an answer', async () => {
  const asked = () => greeted.filter(({ options }) => options.mayAsk?.()).length
  await answered(undefined, { asks: true })
  later(5)
  await answered(undefined, { asks: true, failed: true })
  later(60)
  await answered(undefined, { asks: true })
  expect([greeted.length, asked()]).toEqual([3, 0])
  // Another server listens there now.
  greetings.begin(agent, [], false)
  expect(await answered({ kind: 'proper' }, { asks: true })).toBe(1)
  expect(greetings.of(agent)).toEqual({ web: { kind: 'proper' } })
})

it('sends a server that answers requests badly another one less and less often, whoever has no answer', async () => {
  const times: number[] = []
  for (let second = 0; second < 60; second += 1) {
    if ((await answered({ kind: 'other' }, { asks: true, failed: true })) === 1) times.push(second)
    later(1)
  }
  expect(times).toEqual([0, 2, 6, 14, 30])
  expect(greetings.of(agent)).toEqual({ web: { kind: 'other' } })
})

it('leaves alone what does not answer HTTP, and what was only discovered until a request has reached it', () => {
  const tcp = { ...agent, endpoints: [{ name: 'db', readiness: { kind: 'tcp', port: 2345 }, type: 'tcp' }], routes: [] }
  const all = [...listeners, { loopback: false, port: 2345 }]
  greetings.begin(tcp as unknown as Agent, all, true)
  expect(greeted).toEqual([])
  const found = {
    ...agent,
    endpoints: [{ discovered: true, name: '2345', port: 2345, type: 'http' }],
    routes: [{ discovered: true, endpoint: '2345', upstream: { port: 2345, protocol: 'http' } }],
  } as unknown as Agent
  greetings.begin(found, all, false)
  expect(greeted).toEqual([])
  greetings.begin(found, all, true)
  expect(greeted.map(({ port }) => port)).toEqual([12_345])
})
