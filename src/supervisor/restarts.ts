// Owns when a Caddy that has ended is started again: at once if it had lived for a while, and less and less often while it does not.

/** Milliseconds. */
const waits = { first: 100, longest: 2_000 }
/** One that lived this long restarts at once when it dies. Milliseconds. */
const stableAfter = 10_000

export class Restarts {
  /** False when it did not start. */
  readonly #start: () => Promise<boolean>

  constructor(start: () => Promise<boolean>) {
    this.#start = start
  }

  /** @param livedFor milliseconds, if that is known. */
  died(livedFor = stableAfter): void {
    this.#after(livedFor >= stableAfter ? 0 : waits.first)
  }

  /** One that was to take its place has not started. */
  failed(): void {
    this.#after(waits.first)
  }

  #after(wait: number): void {
    setTimeout(async () => {
      if (!(await this.#start())) this.#after(Math.min(Math.max(wait * 2, waits.first), waits.longest))
    }, wait)
  }
}
