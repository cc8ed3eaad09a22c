// Owns which parts of the table Caddy has refused, why, and when each is tried again.
import type { RouteTable } from '../routing/route-table.js'
import { type Attempt, settle } from './settle.js'
import { nameOf, partsOf, type TablePart, withOnly } from './table-parts.js'

/** What made Caddy refuse a part may be outside of it, and pass. Milliseconds. */
const retryInterval = 5_000

export class LeftOut {
  readonly #parts = new Map<string, { part: TablePart; reason: string; retryAt: number }>()
  /** What Caddy has taken last: it stays while others are tried. */
  #live = new Set<string>()

  get hasAny(): boolean {
    return this.#parts.size > 0
  }

  /** The table without what was refused a moment ago. */
  without(table: RouteTable): RouteTable {
    if (this.#parts.size === 0) return table
    const now = performance.now()
    return withOnly(
      table,
      partsOf(table).filter(({ key }) => (this.#parts.get(key)?.retryAt ?? 0) <= now),
    )
  }

  /** Caddy has taken all of this table. */
  accepted(table: RouteTable): void {
    this.#live = new Set(partsOf(table).map(({ key }) => key))
    for (const key of this.#live) this.#parts.delete(key)
  }

  /** A new Caddy knows nothing yet. */
  forgetLive(): void {
    this.#live = new Set()
  }

  /**
   * Has Caddy take all of the table but what it refuses. Rejects with `refusal` when it takes nothing even without the
   * parts: then none of them is to blame.
   */
  async settle(
    table: RouteTable,
    push: (table: RouteTable) => Promise<string | undefined>,
    refusal: unknown,
  ): Promise<void> {
    const attempt: Attempt<TablePart> = (parts) => push(withOnly(table, parts))
    const parts = partsOf(table)
    const live = parts.filter(({ key }) => this.#live.has(key))
    const fresh = parts.filter(({ key }) => !this.#live.has(key))
    const stays = (await attempt(live)) === undefined
    if (!stays && (await attempt([])) !== undefined) throw refusal
    const old = stays ? { accepted: live, refused: [] } : await settle([], live, attempt)
    const added = await settle(old.accepted, fresh, attempt)
    this.accepted(withOnly(table, [...old.accepted, ...added.accepted]))
    const retryAt = performance.now() + retryInterval
    for (const { part, reason } of [...old.refused, ...added.refused])
      this.#parts.set(part.key, { part, reason, retryAt })
  }

  /** True when something that is still in the table is to be tried again. */
  isDue(table: RouteTable): boolean {
    if (this.#parts.size === 0) return false
    const now = performance.now()
    return partsOf(table).some(({ key }) => (this.#parts.get(key)?.retryAt ?? Number.POSITIVE_INFINITY) <= now)
  }

  /** One sentence for each part that is not served; undefined when there is none. Forgets those that are gone. */
  describe(table: RouteTable): string | undefined {
    if (this.#parts.size === 0) return undefined
    const present = new Set(partsOf(table).map(({ key }) => key))
    for (const key of this.#parts.keys()) if (!present.has(key)) this.#parts.delete(key)
    const sentences = [...this.#parts.values()].map(
      ({ part, reason }) => `Caddy rejects what ${nameOf(part)} needs, and serves the others: ${reason}.`,
    )
    return sentences.length > 0 ? [...new Set(sentences)].join(' ') : undefined
  }
}
