// Owns when a proxy that nobody asked to keep stops by itself: soon after nothing needs it any more.

/**
 * Milliseconds the proxy waits for its first client, and that it outlives its last agent: longer while a container is there that has
 * ended, which may just be starting again. An engine that is asked to restart one tells only of its end, and then of its start.
 */
export const idleWait = { afterEnd: 3_000, afterUse: 1_000, beforeUse: 10_000 }

/** Counts what the proxy is needed for; calls `onIdle` once, when nothing has needed it for a while. */
export class Lifetime {
  kept: boolean
  readonly #onIdle: () => void
  #agents = 0
  #holds = 0
  #mayReturn = false
  #timer: NodeJS.Timeout | undefined
  #used = false

  constructor(kept: boolean, onIdle: () => void) {
    this.kept = kept
    this.#onIdle = onIdle
    this.#update()
  }

  keep(): void {
    this.kept = true
    this.#update()
  }

  /** Says how many agents with endpoints there are, and whether one that has ended may come back. */
  setAgents(count: number, mayReturn = false): void {
    // None is waited for that is gone by now.
    if (this.#mayReturn && !mayReturn) this.end()
    this.#agents = count
    this.#mayReturn = mayReturn
    if (count > 0) this.#used = true
    this.#update()
  }

  /** A client that is about to start an agent needs the proxy until it calls the returned function. */
  hold(): () => void {
    this.#holds += 1
    this.#used = true
    this.#update()
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#holds -= 1
      this.#update()
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #update(): void {
    const idle = !this.kept && this.#holds === 0 && this.#agents === 0
    if (!idle) this.end()
    else this.#timer ??= setTimeout(this.#onIdle, this.#wait)
  }

  get #wait(): number {
    if (!this.#used) return idleWait.beforeUse
    return this.#mayReturn ? idleWait.afterEnd : idleWait.afterUse
  }
}
