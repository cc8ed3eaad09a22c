// Owns when a snapshot is taken while an agent works: after a commit, and once nothing has changed for a while. How often is not for the
// agent to say: there is a rest after each, and what a look costs is a small part of the time.
import type { SnapshotTriggers } from '../config/snapshots-schema.js'

export interface TriggerClockOptions {
  /** The commit that was checked out at the start. */
  commit: string | undefined
  /** The one that is checked out now. */
  head: () => Promise<string | undefined>
  /** What the workspace looks like. */
  look: () => Promise<string>
  /** Milliseconds, of a clock that only goes forward. */
  now: () => number
  /** Takes a snapshot; what goes wrong with it is not for here. */
  take: (reason: 'commit' | 'idle') => Promise<void>
  triggers: SnapshotTriggers
}

/** Between two snapshots, and between two looks at HEAD. Milliseconds. */
export const rest = 10_000
const headEvery = 1_000
/** What a look, or a snapshot, takes is at most one part in so many of the time. */
const share = 20

export class TriggerClock {
  #changedAt = 0
  #commit: string | undefined
  #committed = false
  #nextLook = 0
  #nextTake = 0
  readonly #options: TriggerClockOptions
  #seen: string | undefined
  #taken: string | undefined

  constructor(options: TriggerClockOptions) {
    this.#commit = options.commit
    this.#options = options
  }

  /** Looks, and takes one if it is time; resolves with when to come again, in milliseconds. */
  async tick(): Promise<number> {
    const { now, triggers } = this.#options
    const { idle } = triggers
    await this.#lookAtHead()
    const isIdle = idle !== undefined && (await this.#isIdle(idle * 1_000))
    if (now() >= this.#nextTake && (this.#committed || isIdle)) await this.#take(this.#committed ? 'commit' : 'idle')
    const until = idle === undefined ? headEvery : this.#nextLook - now()
    return Math.max(100, triggers.commit ? Math.min(headEvery, until) : until)
  }

  /** At the end of the run. */
  async finish(): Promise<void> {
    await this.#lookAtHead()
    if (this.#committed) await this.#take('commit')
  }

  /** While a commit waits for its snapshot, further ones make no difference. */
  async #lookAtHead(): Promise<void> {
    if (!this.#options.triggers.commit || this.#committed) return
    const commit = await this.#options.head()
    if (commit === undefined || commit === this.#commit) return
    this.#commit = commit
    this.#committed = true
  }

  async #isIdle(time: number): Promise<boolean> {
    const { look, now } = this.#options
    const at = now()
    if (at >= this.#nextLook) {
      const seen = await look()
      if (seen !== this.#seen) this.#changedAt = at
      this.#seen = seen
      this.#nextLook = now() + Math.max((now() - at) * share, Math.min(time / 4, 5_000))
      return this.#seen !== this.#taken && at - this.#changedAt >= time
    }
    return false
  }

  async #take(reason: 'commit' | 'idle'): Promise<void> {
    const { head, now, take } = this.#options
    // There may have been others meanwhile.
    if (reason === 'commit') this.#commit = (await head()) ?? this.#commit
    this.#committed = false
    this.#taken = this.#seen
    const at = now()
    await take(reason)
    this.#nextTake = now() + Math.max(rest, (now() - at) * share)
  }
}
