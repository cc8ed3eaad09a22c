// Owns which hosts are opened: those about whose paths there are rules, and those into whose requests something is put. Pure.
import type { NetworkPolicy } from './policy.js'

/** Where something is put into requests; never what. */
export interface GrantedPlace {
  /** As it is asked for. */
  grant: string
  hosts: readonly string[]
  ports: readonly number[]
  /** Headers that are set: the agent's own never arrive. Lower case. */
  headers: readonly string[]
  /** The same of the query. */
  query: readonly string[]
  /** Headers of the agent's own that never arrive, without another in their place. Lower case. */
  remove: readonly string[]
  /** The same of the query. */
  removeQuery: readonly string[]
  /** How many forms of what is put in have to be looked for in answers, at most. */
  traces: number
}

/** Patterns as in rules, each once. */
export function openedHosts({
  grants,
  policy,
}: {
  grants: readonly Pick<GrantedPlace, 'hosts'>[]
  policy: Pick<NetworkPolicy, 'rules'>
}): string[] {
  const ruled = policy.rules.filter(({ paths }) => paths !== undefined).map(({ host }) => host)
  return [...new Set([...ruled, ...grants.flatMap(({ hosts }) => hosts)])]
}
