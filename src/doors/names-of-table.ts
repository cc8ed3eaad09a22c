// Owns which names a route table stands for, as files that Caddy looks for. Pure.
import { withBareHost } from '../routing/certificate-hosts.js'
import { changesOf } from '../routing/changes.js'
import type { RouteTable } from '../routing/route-table.js'
import { agentHost } from '../routing/urls.js'
import { insideAddress, type linkDirectories, ownName, peerEndings, portName } from '../routing/way-in.js'

/** Those of the directories that have empty files. */
export type NamedDirectory = Extract<keyof typeof linkDirectories, 'expected' | 'names' | 'own' | 'ports'>

export type NameIn = [NamedDirectory, string]

/** What comes and what goes from one table to the next. A name that several entries stand for is there for each of them. */
export function namesOfTable(
  before: RouteTable,
  after: RouteTable,
  domain: string,
): { added: NameIn[]; removed: NameIn[] } {
  const all = [
    changed(before.discovering, after.discovering, ({ agent }) => [['names', agentHost(agent, domain)]]),
    changed(before.doors, after.doors, (door) => [...ofDoor(door.host), ...ofPort(door)]),
    changed(before.hostRoutes, after.hostRoutes, ({ hosts }) => hosts.flatMap(ofHost)),
    changed(before.inside, after.inside, (one) => [['own', ownName(insideAddress(one.runId), one.agent)]]),
    changed(before.named, after.named, ({ host }) => ofHost(host)),
    changed(before.peers, after.peers, ({ peer, runId, state }) => [
      ['own', ownName(insideAddress(runId), peer, peerEndings[state])],
    ]),
    changed(before.upstreams, after.upstreams, (one) => [...ofHost(one.host), ...ofPort(one)]),
  ]
  return { added: all.flatMap(({ added }) => added), removed: all.flatMap(({ removed }) => removed) }
}

function changed<T>(before: readonly T[], after: readonly T[], namesOf: (entry: T) => NameIn[]) {
  const { added, removed } = changesOf(before, after)
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
