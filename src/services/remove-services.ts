// Owns the end of services: with their agent, whoever notices first that it has ended.
import type { Engine } from '../engine/engine.js'
import type { ServiceContainer } from '../engine/services.js'
import type { ProcessIdentity } from '../processes/process-facts.js'
import { isRunning } from '../processes/same-process.js'

type Services = Pick<Engine, 'remove' | 'services'>

/** Removes the services of runs that have ended, or are to; resolves when they are gone. */
export async function removeServicesOf(engine: Services, runs: readonly string[]): Promise<void> {
  const services = await engine.services.list()
  await removeAll(
    engine,
    services.filter(({ runId }) => runs.includes(runId)),
  )
}

/** Those whose agents are gone, and that nobody is starting an agent for. */
export async function findOrphans(
  engine: Pick<Engine, 'services'>,
  lives: (one: ProcessIdentity) => Promise<boolean> = isRunning,
): Promise<ServiceContainer[]> {
  const before = await engine.services.list()
  const started = await Promise.all(before.map(async ({ starter }) => starter !== undefined && (await lives(starter))))
  const left = new Set(before.filter((_, index) => !started[index]).map(({ containerId }) => containerId))
  if (left.size === 0) return []
  // Looked for only now: the agent of a starter that has ended is there, or never will be.
  return (await engine.services.list()).filter(({ agentLives, containerId }) => !agentLives && left.has(containerId))
}

/** `hold` is called before the first is removed, and what it returns after the last. */
export async function removeOrphans(
  engine: Services,
  hold: () => () => void = () => () => {},
): Promise<ServiceContainer[]> {
  const orphans = await findOrphans(engine)
  if (orphans.length === 0) return []
  const release = hold()
  try {
    await removeAll(engine, orphans)
    return orphans
  } finally {
    release()
  }
}

async function removeAll(engine: Pick<Engine, 'remove'>, services: readonly ServiceContainer[]): Promise<void> {
  await Promise.all(services.map(({ containerId }) => engine.remove(containerId)))
}
