// Owns which names a route table stands for, as files that Caddy looks for. Pure.
import { withBareHost } from '../routing/certificate-hosts.js'
import type { Changes } from '../routing/changes.js'
import type { TableChanges } from '../routing/table-changes.js'
import { agentHost } from '../routing/urls.js'
import { insideAddress, type linkDirectories, ownName, peerEndings, portName } from '../routing/way-in.js'

/** Those of the directories that have empty files. */
export type NamedDirectory = Extract<keyof typeof linkDirectories, 'expected' | 'names' | 'own' | 'ports'>

export type NameIn = [NamedDirectory, string]

/** What comes and what goes with these. A name that several entries stand for is there for each of them. */
export function changedNames(changes: TableChanges, domain: string): { added: NameIn[]; removed: NameIn[] } {
  const { discovering, doors, hostRoutes, inside, named, peers, upstreams } = changes
  const all = [
    changed(discovering, ({ agent }) => [['names', agentHost(agent, domain)]]),
    changed(doors, (door) => [...ofDoor(door.host), ...ofPort(door)]),
    changed(hostRoutes, ({ hosts }) => hosts.flatMap(ofHost)),
    changed(inside, ({ agent, runId }) => [['own', ownName(insideAddress(runId), agent)]]),
    changed(named, ({ host }) => ofHost(host)),
    changed(peers, ({ peer, runId, state }) => [['own', ownName(insideAddress(runId), peer, peerEndings[state])]]),
    changed(upstreams, (one) => [...ofHost(one.host), ...ofPort(one)]),
  ]
  return { added: all.flatMap(({ added }) => added), removed: all.flatMap(({ removed }) => removed) }
}

function changed<T>({ added, removed }: Changes<T>, namesOf: (entry: T) => NameIn[]) {
  return { added: added.flatMap(namesOf), removed: removed.flatMap(namesOf) }
}

function ofHost(host: string): NameIn[] {
  return withBareHost(host).map((name) => ['names', name])
}

/** A host that is expected has certificates too. */
function ofDoor(host: string): NameIn[] {
  return withBareHost(host).map((name) => [name === host ? 'expected' : 'names', name])
}

/** Where redirects are put right. */
function ofPort(one: { host: string; keepsRedirects?: true; port?: number }): NameIn[] {
  return one.port !== undefined && !one.keepsRedirects ? [['ports', portName(one.host, one.port)]] : []
}
