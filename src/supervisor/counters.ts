// Owns adding up what Caddy counts: it starts anew with each config and each process, these numbers do not.
import { bucketBounds, type HostCounts } from '../caddy/metrics.js'
import type { EndpointCounters } from '../pages/view.js'

/** What is told of the past: this many slots of this many milliseconds. */
export const slotLength = 10_000
export const slotCount = 30
/** A rate is told over this many of them. */
const rateSlots = 6

interface Slot extends HostCounts {
  /** Number of the slot since the beginning of time. */
  number: number
}

interface Tally {
  errors: number
  /** Of the running config: what has been added already. */
  last: HostCounts | undefined
  requests: number
  /** Oldest first; slots without requests are left out. */
  slots: Slot[]
}

export class Counters {
  readonly #tallies = new Map<string, Tally>()

  /** Takes in what Caddy says now. `now` in milliseconds. */
  add(counts: ReadonlyMap<string, HostCounts>, now: number): void {
    for (const [host, current] of counts) {
      const tally = this.#tallies.get(host) ?? { errors: 0, last: undefined, requests: 0, slots: [] }
      this.#tallies.set(host, tally)
      const added = difference(current, tally.last)
      tally.last = current
      if (added.requests === 0) continue
      tally.errors += added.errors
      tally.requests += added.requests
      addToSlot(tally.slots, added, Math.floor(now / slotLength))
    }
  }

  /** Caddy has begun to count from zero. */
  restarted(): void {
    for (const tally of this.#tallies.values()) tally.last = undefined
  }

  /** Forgets hosts that nobody has any more. */
  keepOnly(hosts: readonly string[]): void {
    const kept = new Set(hosts)
    for (const host of this.#tallies.keys()) if (!kept.has(host)) this.#tallies.delete(host)
  }

  /** What was counted for some hosts together. */
  of(hosts: readonly string[], now: number): EndpointCounters {
    const tallies = hosts.flatMap((host) => this.#tallies.get(host) ?? [])
    const current = Math.floor(now / slotLength)
    const slots = tallies.flatMap((tally) => tally.slots.filter(({ number }) => number > current - slotCount))
    const history = Array.from({ length: slotCount }, () => 0)
    const buckets: number[] = Array(bucketBounds.length + 1).fill(0)
    let [errors, requests] = [0, 0]
    for (const slot of slots) {
      const index = slotCount - 1 - (current - slot.number)
      history[index] = (history[index] ?? 0) + slot.requests
      errors += slot.errors
      requests += slot.requests
      for (const [bucket, count] of slot.buckets.entries()) buckets[bucket] = (buckets[bucket] ?? 0) + count
    }
    // The present slot is not over: its part of the time counts.
    const seconds = ((rateSlots - 1) * slotLength + (now % slotLength)) / 1000
    const recent = history.slice(-rateSlots).reduce((sum, count) => sum + count, 0)
    return {
      errorRate: requests === 0 ? 0 : round(errors / requests, 4),
      errors: sumOf(tallies, 'errors'),
      history,
      p50: percentile(buckets, 0.5),
      p95: percentile(buckets, 0.95),
      perSecond: round(recent / seconds, 2),
      requests: sumOf(tallies, 'requests'),
    }
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
  last.errors += errors
  last.requests += requests
  last.buckets = last.buckets.map((count, index) => count + (buckets[index] ?? 0))
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
