// Owns how often something may be done: at once for the first request, then at most once per interval.

/**
 * Runs an action on request, never twice at the same time. Requests that arrive while it runs or while the interval
 * since the last run lasts share the next run.
 */
export class Coalescer {
  readonly #action: () => Promise<void>
  readonly #interval: number
  readonly #isNeeded: () => boolean
  #lastRun = Number.NEGATIVE_INFINITY
  #next: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()

  /**
   * @param interval milliseconds between the end of a run and the next.
   * @param isNeeded asked before each run: a request that finds nothing to do is answered at once.
   */
  constructor(action: () => Promise<void>, interval: number, isNeeded: () => boolean = () => true) {
    this.#action = action
    this.#interval = interval
    this.#isNeeded = isNeeded
  }

  /** Resolves after a run that began after this call; rejects with that run's error. */
  request(): Promise<void> {
    this.#next ??= this.#schedule()
    return this.#next
  }

  async #schedule(): Promise<void> {
    await this.#running
    const wait = this.#lastRun + this.#interval - performance.now()
    if (wait > 0 && this.#isNeeded()) await new Promise((resolve) => setTimeout(resolve, wait))
    this.#next = undefined
    if (!this.#isNeeded()) return
    const run = this.#run()
    this.#running = run.catch(() => {
      // Whoever requested the run is told; the next run must come all the same.
    })
    return run
  }

  async #run(): Promise<void> {
    try {
      await this.#action()
    } finally {
      this.#lastRun = performance.now()
    }
  }
}
