// Owns which links the entries of a route table stand for: sockets that an agent's container makes, and where Caddy dials them. Pure.
import { join } from 'node:path'
import { type MoatPaths, wayInDirectory } from '../config/paths.js'
import type { Changes } from '../routing/changes.js'
import type { Door, NamedRun, Way } from '../routing/route-table.js'
import type { TableChanges } from '../routing/table-changes.js'
import { linkDirectories, probeSuffix, quickSuffix, wayName } from '../routing/way-in.js'

/** What has an agent's sockets looked at. */
export type RunEntry = Door | NamedRun | Way

export function changedEntries({ discovering, doors, ways }: TableChanges): Changes<RunEntry> {
  const all: Changes<RunEntry>[] = [discovering, doors, ways]
  return { added: all.flatMap(({ added }) => added), removed: all.flatMap(({ removed }) => removed) }
}

/** By socket. All entries are of one run. */
export function wantedLinks(
  entries: Iterable<RunEntry>,
  paths: Pick<MoatPaths, 'agents' | 'proxy'>,
): Map<string, string[]> {
  const wanted = new Map<string, string[]>()
  const add = (runId: string, socket: string, name: string) => {
    const source = join(wayInDirectory(paths, runId), socket)
    const links = wanted.get(source) ?? []
    const link = join(paths.proxy, name)
    if (!links.includes(link)) links.push(link)
    wanted.set(source, links)
  }
  for (const entry of entries) {
    if (!('port' in entry)) continue
    const { port, runId } = entry
    if ('host' in entry) {
      add(runId, `${port}`, `${linkDirectories.hosts}/${entry.host}`)
      add(runId, `${port}${quickSuffix}`, `${linkDirectories.quick}/${entry.host}`)
      continue
    }
    for (const suffix of ['', quickSuffix, probeSuffix])
      add(runId, `${port}${suffix}`, `${wayName(runId, port)}${suffix}`)
  }
  return wanted
}
