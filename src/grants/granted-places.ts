// Owns what the proxy's config has to know of grants: where it has to ask for a value, and which headers that value comes in. Pure.
import type { GrantedPlace } from '../egress/opened-hosts.js'
import type { Injection } from './injection.js'
import { formatGrant, mostTracesOf, replacedHeaders } from './injection.js'

/** Each host at each port is in one of them for each grant. */
export function placesOf(injections: readonly Injection[]): GrantedPlace[] {
  const places = new Map<string, GrantedPlace & { hosts: string[] }>()
  for (const { grant, host, port, profile } of targetsOf(injections)) {
    const name = formatGrant({ name: grant, profile })
    const here = injections.filter(
      (one) => isOf(one, grant, profile) && one.hosts.includes(host) && one.ports.includes(port),
    )
    const headers = unique(here.flatMap(setHeaders))
    const query = unique(here.flatMap(setQuery))
    const place = {
      grant: name,
      headers,
      ports: [port],
      query,
      remove: unique(here.flatMap(replacedHeaders)).filter((header) => !headers.includes(header)),
      removeQuery: unique(here.flatMap(({ removeQuery }) => removeQuery)).filter((key) => !query.includes(key)),
      traces: Math.max(...here.map(mostTracesOf)),
    }
    const known = places.get(JSON.stringify(place))
    if (known) known.hosts.push(host)
    else places.set(JSON.stringify(place), { ...place, hosts: [host] })
  }
  return [...places.values()]
}

function targetsOf(injections: readonly Injection[]) {
  const all = injections.flatMap(({ grant, hosts, ports, profile }) =>
    hosts.flatMap((host) => ports.map((port) => ({ grant, host, port, profile }))),
  )
  return all.filter((one, index) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === index)
}

function isOf(injection: Injection, grant: string, profile: string): boolean {
  return injection.grant === grant && injection.profile === profile
}

function setHeaders({ place }: Injection): string[] {
  return replacedHeaders({ place, remove: [] })
}

export function setQuery({ place }: Pick<Injection, 'place'>): string[] {
  return place.flatMap((one) => (one.kind === 'query' ? [one.name] : []))
}

function unique(all: readonly string[]): string[] {
  return [...new Set(all)].toSorted()
}
