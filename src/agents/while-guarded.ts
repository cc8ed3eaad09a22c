// Owns that a run in a main checkout has a guard over the repository's config from before its container runs.
import type { MoatPaths } from '../config/paths.js'
import type { Engine } from '../engine/engine.js'
import { startGuard } from '../guard/start-guard.js'
import type { AgentPlan } from './plan/plan-agent.js'

/** `action` calls `stay` with the container, before it runs: the guard stays as long as that. */
export async function whileGuarded<T>(
  { mainCheckout }: Pick<AgentPlan, 'mainCheckout'>,
  {
    engine,
    paths: { home },
    runId,
  }: { engine: Pick<Engine, 'address'>; paths: Pick<MoatPaths, 'home'>; runId: string },
  action: (stay: (containerId: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (!mainCheckout) return action(async () => {})
  // Beside what else there is to do.
  const starting = startGuard({ engine: engine.address, home, place: mainCheckout, runId })
  starting.catch(() => {})
  try {
    return await action(async (containerId) => (await starting).stay(containerId))
  } catch (error) {
    starting.then(
      (guard) => guard.release(),
      () => {},
    )
    throw error
  }
}
