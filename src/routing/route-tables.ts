// Owns route tables that follow each other: of agents that are the same as before nothing is made anew, and what is made of
// them stays the same objects, so that whoever has acted on one table sees at once what is new in the next. No I/O.
import type { Agent } from './agent.js'
import { changesOf, noteChanges } from './changes.js'
import { type PeerView, peerViews } from './peers.js'
import { emptyTable, type OwnPart, ownPart, type RouteTable, tableOrder } from './route-table.js'

export class RouteTables {
  #agents: readonly Agent[] = []
  readonly #domain: string
  readonly #parts = new Map<Agent, OwnPart>()
  /** How many of the agents list others. */
  #listing = 0
  #table: RouteTable = emptyTable

  constructor(domain: string) {
    this.#domain = domain
  }

  /** As `routeTable` has it. Agents that changed have to be other objects. */
  of(agents: readonly Agent[]): RouteTable {
    const { added, removed } = changesOf(this.#agents, agents)
    this.#agents = agents
    if (added.length === 0 && removed.length === 0) return this.#table
    const gone = removed.map((agent) => this.#leave(agent))
    const fresh = added.map((agent) => this.#take(agent))
    const lists = Object.entries(tableOrder).map(([key, order]) => {
      const pick = (parts: readonly OwnPart[]) => parts.flatMap((part): object[] => part[key as keyof OwnPart])
      const list: readonly object[] = this.#table[key as keyof OwnPart]
      return [key, replaced(list, pick(gone), pick(fresh), order as (a: object, b: object) => number)]
    })
    this.#table = { ...(Object.fromEntries(lists) as OwnPart), peers: this.#peers(agents) }
    return this.#table
  }

  #take(agent: Agent): OwnPart {
    const part = ownPart(agent, this.#domain)
    this.#parts.set(agent, part)
    if (lists(agent)) this.#listing += 1
    return part
  }

  #leave(agent: Agent): OwnPart {
    const part = this.#parts.get(agent) ?? ownPart(agent, this.#domain)
    this.#parts.delete(agent)
    if (lists(agent)) this.#listing -= 1
    return part
  }

  #peers(agents: readonly Agent[]): PeerView[] {
    const { peers } = this.#table
    if (this.#listing === 0) return peers.length === 0 ? peers : []
    const keyOf = ({ peer, runId, state }: PeerView) => `${runId} ${peer} ${state}`
    const known = new Map(peers.map((view) => [keyOf(view), view]))
    return peerViews(agents).map((view) => known.get(keyOf(view)) ?? view)
  }
}

function lists({ network }: Agent): boolean {
  return (network?.peers ?? []).length > 0
}

/** A sorted list with other entries in the place of some. The same list where nothing is to change. */
function replaced<T>(list: readonly T[], gone: readonly T[], fresh: readonly T[], order: (a: T, b: T) => number): T[] {
  if (gone.length === 0 && fresh.length === 0) return list as T[]
  const leaving = new Set(gone)
  const kept = gone.length === 0 ? list : list.filter((entry) => !leaving.has(entry))
  const added = fresh.toSorted(order)
  const result = merged(kept, added, order)
  noteChanges(list, result, { added, removed: [...gone] })
  return result
}

function merged<T>(kept: readonly T[], fresh: readonly T[], order: (a: T, b: T) => number): T[] {
  // Sorting runs that are sorted is merging them.
  if (fresh.length > kept.length / 8) return [...kept, ...fresh].sort(order)
  const result = kept.slice()
  for (const entry of fresh) result.splice(placeOf(result, entry, order), 0, entry)
  return result
}

/** Behind all that are not after it. */
function placeOf<T>(list: readonly T[], entry: T, order: (a: T, b: T) => number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (order(list[middle] as T, entry) > 0) high = middle
    else low = middle + 1
  }
  return low
}
