// Owns what the engine's events say before its list does: Docker tells of an end up to a second before it stops listing the
// container as running.
import type { ContainerInfo } from 'dockerode'

export class EndedContainers {
  readonly #ids = new Set<string>()

  /** To be told of each event of a container, in their order. */
  note(action: string, containerId: string): void {
    if (action === 'die') this.#ids.add(containerId)
    if (['destroy', 'remove', 'start'].includes(action)) this.#ids.delete(containerId)
  }

  /** What the engine lists, with those that have ended as such. */
  correct(containers: readonly ContainerInfo[]): ContainerInfo[] {
    return containers.map((info) => {
      if (!this.#ids.has(info.Id)) return info
      if (info.State === 'running' || info.State === 'paused') return { ...info, State: 'exited' }
      // The list has caught up: from now on it is right, even if an event were lost.
      this.#ids.delete(info.Id)
      return info
    })
  }

  /** To be called when events may have been missed. */
  forget(): void {
    this.#ids.clear()
  }
}
