// Owns adding up what Caddy counts: it starts anew with each config and each process, these numbers do not.
import { bucketBounds, type HostCounts } from '../caddy/metrics.js'
import type { EndpointCounters } from '../pages/view.js'

/** What is told of the past: this many slots of this many milliseconds. */
export const slotLength = 10_000
export const slotCount = 30
/** A rate is told over this many of them. */
const rateSlots = 6

/** Classes of answers that take longer than a second to begin. */
const slowFrom = bucketBounds.indexOf(1) + 1

interface Slot extends HostCounts {
  /** Number of the slot since the beginning of time. */
  number: number
}

interface Tally {
  errors: number
  requests: number
  /** Oldest first; slots without requests are left out. */
  slots: Slot[]
}

export class Counters {
  /** Whose hosts were, when that was last told. */
  #runs: ReadonlyMap<string, string> | undefined
  /** What Caddy has counted since it began: all of it was added already. */
  #seen: ReadonlyMap<string, HostCounts> = new Map()
  readonly #tallies = new Map<string, Tally>()

  /** Takes in what Caddy says now. `now` in milliseconds. */
  add(counts: ReadonlyMap<string, HostCounts>, now: number): void {
    for (const [host, current] of counts) {
      const added = difference(current, this.#seen.get(host))
      if (added.requests === 0) continue
      const tally = this.#tallies.get(host) ?? { errors: 0, requests: 0, slots: [] }
      this.#tallies.set(host, tally)
      tally.errors += added.errors
      tally.requests += added.requests
      addToSlot(tally.slots, added, Math.floor(now / slotLength))
    }
    this.#seen = counts
  }

  /** Caddy has begun to count from zero. */
  restarted(): void {
    this.#seen = new Map()
  }

  /**
   * From now on hosts belong to these runs: each run begins at zero, whatever was asked of its hosts before. A run that is alive
   * and has no hosts at present, as one that is paused, keeps its counts. True when a run lost a host that had counts: what Caddy
   * has counted for it since is to be taken in before the host has another.
   */
  follow(runs: ReadonlyMap<string, string>, alive: ReadonlySet<string>): boolean {
    const before = this.#runs
    const next = new Map([...(before ?? [])].filter(([, run]) => alive.has(run)))
    for (const [host, run] of runs) next.set(host, run)
    this.#runs = next
    let hasLost = false
    for (const host of this.#tallies.keys()) {
      if (next.has(host) && (!before || before.get(host) === next.get(host))) continue
      this.#tallies.delete(host)
      hasLost ||= before?.has(host) === true
    }
    return hasLost
  }

  /** What was counted for some hosts together. */
  of(hosts: readonly string[], now: number): EndpointCounters {
    const tallies = hosts.flatMap((host) => this.#tallies.get(host) ?? [])
    const current = Math.floor(now / slotLength)
    const slots = recentSlots(tallies, current)
    const all = slots.reduce(addCounts, noCounts)
    const history = slots.map(({ requests }) => requests)
    // The present slot is not over: its part of the time counts.
    const seconds = ((rateSlots - 1) * slotLength + (now % slotLength)) / 1000
    const recent = history.slice(-rateSlots).reduce((sum, count) => sum + count, 0)
    return {
      errorRate: all.requests === 0 ? 0 : round(all.errors / all.requests, 4),
      errors: sumOf(tallies, 'errors'),
      failed: all.errors,
      failures: slots.map(({ errors }) => errors),
      history,
      latencies: slots.map(({ buckets }) => percentile(buckets, 0.95)),
      p50: percentile(all.buckets, 0.5),
      p95: percentile(all.buckets, 0.95),
      perSecond: round(recent / seconds, 2),
      requests: sumOf(tallies, 'requests'),
      slow: all.buckets.slice(slowFrom).reduce((sum, count) => sum + count, 0),
    }
  }
}

const noCounts: HostCounts = { buckets: Array(bucketBounds.length + 1).fill(0), errors: 0, requests: 0 }

/** Those that are told of, oldest first; what several hosts had in a slot is added up. */
function recentSlots(tallies: readonly Tally[], current: number): HostCounts[] {
  const recent = Array.from({ length: slotCount }, () => noCounts)
  for (const { slots } of tallies)
    for (const slot of slots) {
      const index = slotCount - 1 - (current - slot.number)
      if (index >= 0) recent[index] = addCounts(recent[index] ?? noCounts, slot)
    }
  return recent
}

function addCounts(a: HostCounts, b: HostCounts): HostCounts {
  return {
    buckets: a.buckets.map((count, index) => count + (b.buckets[index] ?? 0)),
    errors: a.errors + b.errors,
    requests: a.requests + b.requests,
  }
}

function difference(current: HostCounts, last: HostCounts | undefined): HostCounts {
  // Fewer than before: it has begun anew without our knowing.
  if (!last || current.requests < last.requests) return current
  return {
    buckets: current.buckets.map((count, index) => Math.max(0, count - (last.buckets[index] ?? 0))),
    errors: Math.max(0, current.errors - last.errors),
    requests: current.requests - last.requests,
  }
}

function addToSlot(slots: Slot[], { buckets, errors, requests }: HostCounts, number: number): void {
  const last = slots.at(-1)
  if (last?.number !== number) {
    slots.push({ buckets: [...buckets], errors, number, requests })
    if (slots.length > slotCount) slots.shift()
    return
  }
  Object.assign(last, addCounts(last, { buckets, errors, requests }))
}

/** Milliseconds, estimated within the class that it falls into; null without requests. */
function percentile(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let below = 0
  for (const [index, count] of buckets.entries()) {
    if (count > 0 && below + count >= share * total) {
      const lower = bucketBounds[index - 1] ?? 0
      const upper = bucketBounds[index] ?? lower
      return round((lower + ((upper - lower) * (share * total - below)) / count) * 1000, 1)
    }
    below += count
  }
  return null
}

function sumOf(tallies: readonly Tally[], key: 'errors' | 'requests'): number {
  return tallies.reduce((sum, tally) => sum + tally[key], 0)
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
