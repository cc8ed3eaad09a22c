// Owns the route table as a set of parts that can be left out one by one, whatever lists it consists of.
import type { RouteTable } from '../routing/route-table.js'

/** One entry of one list of the table. */
export interface TablePart {
  entry: object
  /** The same for the same entry of a later table. */
  key: string
  list: keyof RouteTable
}

export function partsOf(table: RouteTable): TablePart[] {
  const counts = new Map<string, number>()
  return lists(table).flatMap(([list, entries]) =>
    entries.map((entry) => {
      const text = `${list} ${JSON.stringify(entry)}`
      const count = (counts.get(text) ?? 0) + 1
      counts.set(text, count)
      // One of two that are equal may be refused for the other's sake.
      return { entry, key: `${text} ${count}`, list }
    }),
  )
}

/** The table without the parts that are not among these. */
export function withOnly(table: RouteTable, parts: readonly TablePart[]): RouteTable {
  const kept = new Set(parts.map(({ entry }) => entry))
  return Object.fromEntries(
    lists(table).map(([list, entries]) => [list, entries.filter((one) => kept.has(one))]),
  ) as unknown as RouteTable
}

/** Whose it is, as a person knows it. */
export function nameOf({ entry }: TablePart): string {
  const { agent, endpoint, host, runId } = entry as Record<string, unknown>
  if (typeof host === 'string') return host
  const owner = typeof agent === 'string' ? agent : String(runId)
  return typeof endpoint === 'string' ? `${owner}'s endpoint ${endpoint}` : `the agent ${owner}`
}

function lists(table: RouteTable): [keyof RouteTable, object[]][] {
  return Object.entries(table) as unknown as [keyof RouteTable, object[]][]
}
