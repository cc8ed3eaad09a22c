// Owns holding agents still that could change where a path leads, while the engine follows it: engines take a mount's source as a
// path, and whoever can write in a directory above it can put a link there between a look and its use.

import type Docker from 'dockerode'
import type { ContainerInfo } from 'dockerode'
import { contains } from '../config/real-path.js'
import type { EngineWriters } from './engine.js'
import { engineError, engineMessage, statusOf } from './engine-errors.js'
import { labels } from './labels.js'

export class DockerWriters implements EngineWriters {
  readonly #address: string
  readonly #docker: Docker

  constructor(docker: Docker, address: string) {
    this.#docker = docker
    this.#address = address
  }

  async whileHeld<T>(paths: readonly string[], action: () => Promise<T>): Promise<T> {
    const held: Docker.Container[] = []
    try {
      for (const { Id } of writersOf(await this.#agents(), paths)) {
        const container = this.#docker.getContainer(Id)
        if (await this.#isPaused(container)) held.push(container)
      }
      return await action()
    } finally {
      // One that is gone, or that somebody else has woken, needs it no more.
      await Promise.all(held.map((container) => container.unpause().catch(() => {})))
    }
  }

  /** Of every moat of this machine. */
  async #agents(): Promise<ContainerInfo[]> {
    try {
      return await this.#docker.listContainers({ filters: { label: [labels.runId], status: ['running'] } })
    } catch (error) {
      throw engineError('list containers', error, this.#address)
    }
  }

  /** False for one that had ended or was paused before. */
  async #isPaused(container: Docker.Container): Promise<boolean> {
    try {
      await container.pause()
      return true
    } catch (error) {
      const isStill =
        [404, 409].includes(statusOf(error) ?? 0) || /not running|state improper/.test(engineMessage(error))
      if (isStill) return false
      throw engineError('pause an agent that could change what is mounted', error, this.#address)
    }
  }
}

/** Those that can write in a directory above one of the paths. What is mounted into them at that very path they cannot replace. */
export function writersOf(containers: readonly ContainerInfo[], paths: readonly string[]): ContainerInfo[] {
  return containers.filter(({ Mounts = [] }) =>
    Mounts.some(({ RW, Source = '' }) => RW && paths.some((path) => path !== Source && contains(Source, path))),
  )
}
