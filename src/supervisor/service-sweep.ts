// Owns removing the services of agents that have ended, or never came to be, while nobody of moat's followed them.
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { removeOrphans } from '../services/remove-services.js'

export interface ServiceSweepOptions {
  /** Undefined while it is away. */
  engine: () => Pick<Engine, 'remove' | 'services'> | undefined
  /** Keeps the proxy up until what it returns is called. */
  hold: () => () => void
  log: (message: string) => void
}

export class ServiceSweep {
  readonly #options: ServiceSweepOptions
  #sweeping: Promise<void> = Promise.resolve()

  constructor(options: ServiceSweepOptions) {
    this.#options = options
  }

  /** Resolves in any case. */
  sweep(): Promise<void> {
    // One after the other: each would remove the same.
    this.#sweeping = this.#sweeping.then(() => this.#sweep())
    return this.#sweeping
  }

  async #sweep(): Promise<void> {
    const { engine, hold, log } = this.#options
    const answering = engine()
    if (!answering) return
    try {
      for (const { name, runId } of await removeOrphans(answering, hold)) log(`removed the service ${name} of ${runId}`)
    } catch (error) {
      log(`cannot remove services of agents that have ended: ${messageOf(error)}`)
    }
  }
}
