// Owns how long a detached agent is watched after its start for an end that means that its command is wrong: decision 7.
import { setTimeout as delay } from 'node:timers/promises'
import type { EngineSessions } from '../engine/sessions.js'

/** Milliseconds. */
const times = {
  /** How long an engine may take to tell of an end that has been seen already. */
  told: 10_000,
  /** One that runs on and on is taken to be well after this. */
  usual: 200,
}

/** To be called right after the start. Resolves once the agent's programs wait for something, or have run for long enough. */
export async function watchStart(
  sessions: Pick<EngineSessions, 'comeToRest'>,
  containerId: string,
  { told, usual } = times,
): Promise<void> {
  const over = new AbortController()
  const late = delay(usual, undefined, { ref: false })
  const what = await Promise.race([sessions.comeToRest(containerId, over.signal), late])
  over.abort()
  if (what === 'ended') await delay(told, undefined, { ref: false })
  // Not on every system is that to be seen.
  else if (what === 'unknown') await late
}
