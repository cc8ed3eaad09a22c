// Owns Ctrl+C, SIGTERM and a terminal that closes while a command runs: who is told, first and later times.
import { Errors } from '@oclif/core'

/** Exit code of a command interrupted before it had done its work: 128 + SIGINT. */
export const interruptedExit = 130

/**
 * Takes over SIGINT and SIGTERM. Until `onInterrupt` is called, the first one aborts `signal`; from then on each one
 * calls the listener. SIGHUP does the former only: a command that has begun its work ends with its terminal, as any.
 */
export class Interrupts {
  readonly #abort = new AbortController()
  readonly #handle = () => this.#listener()
  #listener: () => void = () => this.#abort.abort(new Errors.ExitError(interruptedExit))

  constructor() {
    process.on('SIGINT', this.#handle)
    process.on('SIGTERM', this.#handle)
    process.on('SIGHUP', this.#handle)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  onInterrupt(listener: () => void): void {
    this.#listener = listener
    process.off('SIGHUP', this.#handle)
  }

  release(): void {
    process.off('SIGINT', this.#handle)
    process.off('SIGTERM', this.#handle)
    process.off('SIGHUP', this.#handle)
  }
}
