// Owns looking, once, on which ports of running agents something listens that has no URL.
import { setTimeout as wait } from 'node:timers/promises'
import type { Engine } from '../engine/engine.js'
import type { Agent } from '../routing/agent.js'
import { listenersOf, undeclaredPorts } from '../routing/declared-ports.js'

/** For all of them together. Milliseconds. */
const deadline = 2_000
/** Containers that are looked into at the same time. */
const concurrency = 8

/** By run id; those that have none, or cannot be looked into soon, are left out. */
export async function findUndeclared(
  { sessions }: Pick<Engine, 'sessions'>,
  agents: readonly Agent[],
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  const queue = agents.filter(({ discover, state }) => state === 'running' && !discover)
  const end = new AbortController()
  const work = async () => {
    for (let agent = queue.shift(); agent && !end.signal.aborted; agent = queue.shift()) {
      const seen = await sessions.listeners(agent.containerId).catch(() => undefined)
      const ports = seen ? undeclaredPorts(agent, listenersOf(agent, seen.listeners)) : []
      if (ports.length > 0 && !end.signal.aborted) found.set(agent.runId, ports)
    }
  }
  const all = Promise.all(Array.from({ length: concurrency }, work))
  await Promise.race([all, wait(deadline, undefined, { ref: false, signal: end.signal }).catch(() => {})])
  end.abort()
  return found
}
