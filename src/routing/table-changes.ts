// Owns what has changed from one route table to the next, list by list. Pure.
import { type Changes, changesOf } from './changes.js'
import { emptyTable, type RouteTable } from './route-table.js'

export type TableChanges = { [List in keyof RouteTable]: Changes<RouteTable[List][number]> }

export function tableChanges(before: RouteTable, after: RouteTable): TableChanges {
  const lists = Object.keys(emptyTable) as (keyof RouteTable)[]
  return Object.fromEntries(
    lists.map((list) => [list, changesOf<unknown>(before[list], after[list])]),
  ) as unknown as TableChanges
}
