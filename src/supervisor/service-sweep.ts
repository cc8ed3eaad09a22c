// Owns removing the services of agents that have ended while nobody of moat's followed them.
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { removeOrphans } from '../services/remove-services.js'

export class ServiceSweep {
  readonly #hold: () => () => void
  readonly #log: (message: string) => void
  #sweeping: Promise<void> = Promise.resolve()

  /** `hold` keeps the proxy up until what it returns is called. */
  constructor(hold: () => () => void, log: (message: string) => void) {
    this.#hold = hold
    this.#log = log
  }

  /** Resolves in any case. */
  sweep(engine: Pick<Engine, 'remove' | 'services'> | undefined): Promise<void> {
    const act = () => (engine ? this.#sweep(engine) : Promise.resolve())
    // One after the other: each would remove the same.
    this.#sweeping = this.#sweeping.then(act)
    return this.#sweeping
  }

  async #sweep(engine: Pick<Engine, 'remove' | 'services'>): Promise<void> {
    try {
      for (const { name, runId } of await removeOrphans(engine, this.#hold))
        this.#log(`removed the service ${name} of ${runId}`)
    } catch (error) {
      this.#log(`cannot remove services of agents that have ended: ${messageOf(error)}`)
    }
  }
}
