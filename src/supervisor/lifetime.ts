// Owns when a proxy that nobody asked to keep stops by itself: soon after nothing needs it any more.
import { type Agent, isLive, usesProxy } from '../routing/agent.js'

/**
 * Milliseconds the proxy waits for its first client, that it outlives its last agent, and that it does where the container of that one
 * is still there: a restart behind moat's back is an end first, and takes a busy engine seconds.
 */
export const idleWait = { afterEnd: 10_000, afterUse: 1_000, beforeUse: 10_000 }

/** Agents with endpoints, by their run ids. */
export interface AgentsOfProxy {
  /** Those whose containers are there, and do not run. */
  ended: readonly string[]
  live: readonly string[]
}

export function agentsOfProxy(agents: readonly Agent[]): AgentsOfProxy {
  const users = agents.filter(usesProxy)
  const ids = (some: readonly Agent[]) => some.map(({ runId }) => runId)
  return { ended: ids(users.filter((agent) => !isLive(agent))), live: ids(users.filter(isLive)) }
}

/** Counts what the proxy is needed for; calls `onIdle` once, when nothing has needed it for a while. */
export class Lifetime {
  kept: boolean
  readonly #onIdle: () => void
  #holds = 0
  #live: readonly string[] = []
  /** Those that have lived while this one counted, and have ended. */
  #mayReturn: readonly string[] = []
  #timer: NodeJS.Timeout | undefined
  /** What `#timer` waits for. */
  #wait = 0
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

  setAgents({ ended, live }: AgentsOfProxy): void {
    this.#mayReturn = ended.filter((id) => this.#live.includes(id) || this.#mayReturn.includes(id))
    this.#live = live
    if (live.length > 0) this.#used = true
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
    if (this.kept || this.#holds > 0 || this.#live.length > 0) {
      this.end()
      return
    }
    const afterUse = this.#mayReturn.length > 0 ? idleWait.afterEnd : idleWait.afterUse
    const wait = this.#used ? afterUse : idleWait.beforeUse
    if (this.#timer && this.#wait === wait) return
    this.end()
    this.#wait = wait
    this.#timer = setTimeout(this.#onIdle, wait)
  }
}
