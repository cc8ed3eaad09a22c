import { afterEach, describe, expect, it } from 'vitest'
import type { greetServer } from '../../../src/doors/greet-server.js'
import type { Agent } from '../../../src/routing/agent.js'
import type { Listener } from '../../../src/routing/listening.js'
import { Greetings } from '../../../src/supervisor/greetings.js'
import { Observer, type ObserverOptions } from '../../../src/supervisor/observer.js'
import { until } from '../../helpers/until.js'

let observer: Observer | undefined

afterEach(() => observer?.end())

/** What is seen of an agent in whose container these listen. */
async function seen(listeners: Listener[], forwards?: number[]): Promise<Listener[] | undefined> {
  const startedAt = '2026-01-01T00:00:00.000Z'
  const sessions = { listeners: async () => ({ listeners, quick: true, startedAt }) }
  observer?.end()
  observer = new Observer({ agents: () => [], engine: () => ({ sessions }) } as unknown as ObserverOptions)
  return (await observer.look({ containerId: 'one', ...(forwards && { forwards }) } as Agent))?.listeners
}

it('sees all that listens in a container but the forwarder, which nobody means as an endpoint', async () => {
  const forwarder = { loopback: true, port: 8080 }
  const others = [
    { loopback: true, port: 9229 },
    { loopback: false, port: 8080 },
  ]
  expect(await seen([forwarder, ...others], [8080])).toEqual(others)
  expect(await seen([forwarder, ...others], [443, 80])).toEqual([forwarder, ...others])
  expect(await seen([forwarder, ...others])).toEqual([forwarder, ...others])
})

describe('what servers say when they are greeted', () => {
  const agent = {
    containerId: 'one',
    endpoints: [{ name: 'web', type: 'http' }],
    labels: {},
    name: 'shop',
    published: { 3000: 13_000 },
    routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
    state: 'running',
  } as unknown as Agent
  const listens = { listeners: [{ loopback: false, port: 3000 }], quick: true, startedAt: '2026-01-01T00:00:00.000Z' }

  function observed(greet: () => Promise<unknown>, listeners: () => Promise<unknown> = async () => listens): Observer {
    const greetings = new Greetings({
      greet: greet as unknown as typeof greetServer,
      paths: { agents: '/nonexistent', proxy: '/nonexistent' },
      uid: 0,
    })
    observer?.end()
    observer = new Observer({
      agents: () => [agent],
      engine: () => ({ sessions: { listeners } }),
      greetings,
    } as unknown as ObserverOptions)
    return observer
  }

  it('is waited for by nobody for long, and shown as soon as it is known', async () => {
    let answer: (greeting: object) => void = () => {}
    const greeting = new Promise<object>((resolve) => {
      answer = resolve
    })
    const looking = observed(() => greeting)
    expect(await looking.look(agent)).toMatchObject({ greetings: {}, listeners: listens.listeners })
    expect(await looking.problems()).toEqual([])
    answer({ kind: 'tls' })
    await until('the greeting', async () => (await looking.problems()).length > 0)
    expect(await looking.problems()).toMatchObject([{ endpoint: 'web', health: 'not_answering' }])
  })

  it('is waited for longer by who has had no answer', async () => {
    const { promise: greeting, resolve: answer } = Promise.withResolvers<object>()
    const looking = observed(() => greeting)
    const waiting = looking.look(agent, { failed: true })
    // Others have been shown something by then.
    expect(await looking.look(agent)).toMatchObject({ greetings: {} })
    answer({ kind: 'tls' })
    expect(await waiting).toMatchObject({ greetings: { web: { kind: 'tls' } } })
  })

  it('is not forgotten when the engine does not say who listens', async () => {
    let asked = 0
    let fails = false
    const greet = async () => {
      asked += 1
      return { kind: 'proper' }
    }
    const looking = observed(greet, async () => (fails ? Promise.reject(new Error('busy')) : listens))
    await looking.look(agent, { failed: true })
    fails = true
    expect(await looking.look(agent)).toBeUndefined()
    fails = false
    expect(await looking.look(agent)).toMatchObject({ greetings: { web: { kind: 'proper' } } })
    expect(asked).toBe(1)
  })
})
