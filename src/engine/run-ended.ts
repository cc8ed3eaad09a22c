// Owns waiting for the end of a run, for processes that live as long as it does.
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.js'
import { isLive } from '../routing/agent.js'
import type { Engine } from './engine.js'

/** A container that was restarted has ended for a moment; one whose engine is away may go on. Milliseconds. */
const again = { first: 200, longest: 5_000 }
/** How often an ended container is looked for before it is taken for ended. */
const looks = 5

/** Resolves when the container is gone, or has ended for longer than it takes to restart one. */
export async function runEnded(
  engine: Pick<Engine, 'listAgents' | 'wait'>,
  containerId: string,
  runId: string,
  log: (message: string) => void,
): Promise<void> {
  let pause = again.first
  for (let missed = 0; missed < looks; ) {
    try {
      await engine.wait(containerId).catch((error) => log(messageOf(error)))
      const { agents } = await engine.listAgents()
      const found = agents.find((agent) => agent.runId === runId)
      if (!found) return
      missed = isLive(found) ? 0 : missed + 1
      pause = again.first
    } catch (error) {
      log(messageOf(error))
      pause = Math.min(pause * 2, again.longest)
    }
    await wait(pause)
  }
}
