// Owns adding up what Caddy counts: it starts anew with each config and each process, these numbers do not.
import { bucketBounds, type HostCounts } from '../caddy/metrics.js'
import type { EndpointCounters } from '../pages/view.js'
import { changedRuns } from '../routing/hosts-of-table.js'
import { emptyTable, type RouteTable } from '../routing/route-table.js'

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
  /** Another number whenever something was added. */
  version: number
}

/** What is told of some hosts, good while nothing is added and the slot is the same. */
interface Told {
  counters: EndpointCounters
  recent: number
  slot: number
  versions: string
}

export class Counters {
  /** Hosts of runs that are alive and have them not at present. */
  readonly #resting = new Set<string>()
  /** Whose hosts were, when that was last told. */
  readonly #runs = new Map<string, string>()
  /** What Caddy has counted since it began: all of it was added already. */
  #seen: ReadonlyMap<string, HostCounts> = new Map()
  #table: RouteTable | undefined
  readonly #tallies = new Map<string, Tally>()
  readonly #told = new Map<string, Told>()
  #version = 0

  /** Another number whenever something was counted. */
  get version(): number {
    return this.#version
  }

  /** Takes in what Caddy says now. `now` in milliseconds. */
  add(counts: ReadonlyMap<string, HostCounts>, now: number): void {
    for (const [host, current] of counts) {
      const added = difference(current, this.#seen.get(host))
      if (added.requests === 0) continue
      const tally = this.#tallies.get(host) ?? { errors: 0, requests: 0, slots: [], version: 0 }
      this.#tallies.set(host, tally)
      this.#version += 1
      tally.version = this.#version
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
   * From now on hosts belong to the runs of this table: each run begins at zero, whatever was asked of its hosts before. A run that is
   * alive and has no hosts at present, as one that is paused, keeps its counts. True when a run lost a host that had counts: what
   * Caddy has counted for it since is to be taken in before the host has another.
   */
  follow(table: RouteTable, alive: Pick<ReadonlySet<string>, 'has'>): boolean {
    const isFirst = this.#table === undefined
    const { added, removed } = changedRuns(this.#table ?? emptyTable, table)
    this.#table = table
    const changed = new Map<string, string | undefined>()
    for (const host of [...removed.map(([host]) => host), ...this.#resting]) changed.set(host, this.#runs.get(host))
    for (const [host] of added) changed.set(host, this.#runs.get(host))
    for (const host of changed.keys()) this.#rest(host, alive)
    for (const [host, run] of added) {
      this.#runs.set(host, run)
      this.#resting.delete(host)
    }
    let hasLost = false
    // At first nothing is known of whose they were: those of hosts that are there stay. Others that somebody asks for go now and then.
    const hosts =
      isFirst || changed.size === 0 ? [...this.#tallies.keys()].filter((host) => !this.#runs.has(host)) : changed.keys()
    for (const host of hosts) {
      if (this.#runs.get(host) === changed.get(host) && this.#runs.has(host)) continue
      if (!this.#tallies.delete(host)) continue
      this.#told.clear()
      hasLost ||= changed.get(host) !== undefined
    }
    return hasLost
  }

  /** Of a host that the table has not. */
  #rest(host: string, alive: Pick<ReadonlySet<string>, 'has'>): void {
    const run = this.#runs.get(host)
    if (run !== undefined && alive.has(run)) {
      this.#resting.add(host)
      return
    }
    this.#runs.delete(host)
    this.#resting.delete(host)
  }

  /** What was counted for some hosts together. While nothing changes, its lists are the same ones. */
  of(hosts: readonly string[], now: number): EndpointCounters {
    const tallies = hosts.flatMap((host) => this.#tallies.get(host) ?? [])
    if (tallies.length === 0) return nothing
    const slot = Math.floor(now / slotLength)
    const [key, versions] = [hosts.join(), tallies.map(({ version }) => version).join()]
    let told = this.#told.get(key)
    if (told?.slot !== slot || told.versions !== versions) {
      told = { ...tell(tallies, slot), slot, versions }
      this.#told.set(key, told)
    }
    // The present slot is not over: its part of the time counts.
    const seconds = ((rateSlots - 1) * slotLength + (now % slotLength)) / 1000
    return { ...told.counters, perSecond: round(told.recent / seconds, 2) }
  }
}

function tell(tallies: readonly Tally[], current: number): Pick<Told, 'counters' | 'recent'> {
  const slots = recentSlots(tallies, current)
  const all = slots.reduce(addCounts, noCounts)
  const history = slots.map(({ requests }) => requests)
  const counters = {
    errorRate: all.requests === 0 ? 0 : round(all.errors / all.requests, 4),
    errors: sumOf(tallies, 'errors'),
    failed: all.errors,
    failures: slots.map(({ errors }) => errors),
    history,
    latencies: slots.map(({ buckets }) => percentile(buckets, 0.95)),
    p50: percentile(all.buckets, 0.5),
    p95: percentile(all.buckets, 0.95),
    perSecond: 0,
    requests: sumOf(tallies, 'requests'),
    slow: all.buckets.slice(slowFrom).reduce((sum, count) => sum + count, 0),
  }
  return { counters, recent: history.slice(-rateSlots).reduce((sum, count) => sum + count, 0) }
}

const noCounts: HostCounts = { buckets: Array(bucketBounds.length + 1).fill(0), errors: 0, requests: 0 }

const nothing: EndpointCounters = tell([], 0).counters

/** Those that are told of, oldest first; what several hosts had in a slot is added up. */
function recentSlots(tallies: readonly Tally[], current: number): HostCounts[] {
  const recent = Array.from({ length: slotCount }, () => noCounts)
  for (const { slots } of tallies)
    for (const slot of slots) {
      const index = slotCount - 1 - (current - slot.number)
      if (index < 0) continue
      const before = recent[index] ?? noCounts
      recent[index] = before === noCounts ? slot : addCounts(before, slot)
    }
  return recent
}

function addCounts(a: HostCounts, b: HostCounts): HostCounts {
  if (b === noCounts) return a
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
