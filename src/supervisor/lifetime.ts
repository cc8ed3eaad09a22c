// Owns when a proxy that nobody asked to keep stops by itself: soon after nothing needs it any more.

/** Milliseconds the proxy waits for its first client, and that it outlives its last agent. */
export const idleWait = { afterUse: 1_000, beforeUse: 10_000 }

/** Counts what the proxy is needed for; calls `onIdle` once, when nothing has needed it for a while. */
export class Lifetime {
  kept: boolean
  readonly #onIdle: () => void
  #agents = 0
  #holds = 0
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

  /** Says how many agents with endpoints there are. */
  setAgents(count: number): void {
    this.#agents = count
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
    else this.#timer ??= setTimeout(this.#onIdle, this.#used ? idleWait.afterUse : idleWait.beforeUse)
  }
}
