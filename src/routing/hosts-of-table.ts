// Owns what a route table says of hosts and whose they are. Pure.
import { type Changes, changesOf } from './changes.js'
import type { HostRoutes, RouteTable, Upstream } from './route-table.js'

/** Every host that has an answer. */
export function hostsOf({
  doors,
  hostRoutes,
  named = [],
  upstreams,
}: Pick<RouteTable, 'doors' | 'hostRoutes' | 'upstreams'> & Partial<Pick<RouteTable, 'named'>>): string[] {
  const plain = [...doors, ...named, ...upstreams].map(({ host }) => host)
  return [...new Set([...plain, ...hostRoutes.flatMap(({ hosts }) => hosts)])]
}

/** Which hosts have come to belong to a run from one table to the next, and which have ceased to; hosts and runs. */
export function changedRuns(before: RouteTable, after: RouteTable): Changes<[string, string]> {
  const lists = [
    changesOf<HostOfRun>(before.doors, after.doors),
    changesOf<HostOfRun>(before.upstreams, after.upstreams),
    changesOf<HostOfRun>(before.hostRoutes, after.hostRoutes),
  ]
  const pairs = (key: keyof Changes<unknown>) => lists.flatMap((changes) => changes[key]).flatMap(pairsOf)
  return { added: pairs('added'), removed: pairs('removed') }
}

type HostOfRun = Pick<Upstream, 'host' | 'runId'> | Pick<HostRoutes, 'hosts' | 'runId'>

function pairsOf(entry: HostOfRun): [string, string][] {
  const { runId } = entry
  if (runId === undefined) return []
  const hosts = 'hosts' in entry ? entry.hosts : [entry.host]
  return hosts.map((host) => [host, runId])
}

/** The agents that have an answer at one host at least, and those that may come to have one. */
export function agentsOf(table: RouteTable, domain: string): string[] {
  const named = [...table.discovering, ...table.inside].map(({ agent }) => agent)
  const answering = hostsOf(table).map(
    (host) =>
      host
        .slice(0, -domain.length - 1)
        .split('.')
        .at(-1) ?? '',
  )
  return [...new Set([...named, ...answering])]
}

/** True when a host is not, as it was before, one of a container that runs on: connections to it may be kept. */
export function hasParted(before: RouteTable, after: RouteTable, running: Pick<ReadonlySet<string>, 'has'>): boolean {
  const { added, removed } = changesOf(before.doors, after.doors)
  const stay = new Set(added.map(({ host, runId }) => `${runId} ${host}`))
  // A port that somebody merely listened on has no connections left when nobody does.
  return removed.some(({ discovered, host, runId }) => {
    return !discovered && running.has(runId) && !stay.has(`${runId} ${host}`)
  })
}
