import { afterEach, expect, it } from 'vitest'
import type { Agent } from '../../../src/routing/agent.js'
import type { Listener } from '../../../src/routing/listening.js'
import { Observer, type ObserverOptions } from '../../../src/supervisor/observer.js'

let observer: Observer | undefined

afterEach(() => observer?.end())

/** What is seen of an agent in whose container these listen. */
async function seen(listeners: Listener[], forwards?: number[]): Promise<Listener[] | undefined> {
  const startedAt = '2026-01-01T00:00:00.000Z'
  const sessions = { listeners: async () => ({ listeners, quick: true, startedAt }) }
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
