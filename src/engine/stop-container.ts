// Owns what engines say when a container is asked to end that is paused, or that somebody else is taking away.
import type { Container } from 'dockerode'
import { engineMessage, statusOf } from './engine-errors.js'

/** A paused one, too, which Podman refuses to stop. */
export async function stopContainer(container: Container, graceSeconds: number): Promise<void> {
  try {
    await container.stop({ t: graceSeconds })
  } catch (error) {
    if (statusOf(error) !== 500 || !/paused/.test(engineMessage(error))) throw error
    await container.unpause()
    await container.stop({ t: graceSeconds })
  }
}

/** True when the engine refuses because somebody else is removing the container already. */
export function isRemoval(error: unknown): boolean {
  return statusOf(error) === 409 && /removal/i.test(engineMessage(error))
}
