// Owns what Caddy has to know of the way out: which agents' requests it opens, by which rules, and with whose help.
import type { NetworkPolicy, NetworkRule } from '../egress/policy.js'

/** What Caddy calls the authority that signs for opened hosts. */
export const egressAuthorityName = 'egress'

export interface EgressSettings {
  /** At least one. */
  agents: readonly OpenedAgent[]
  certificate: string
  /** A server on loopback that finds addresses and connects, for whoever knows the password. */
  dial: { password: string; port: number }
  key: string
  /** Path of the unix socket at which moat answers about single requests. */
  questions: string
  /** Path of the unix socket at which moat hears of each request. */
  reports: string
  /** Directory for the hosts' certificates. */
  storage: string
}

/** An agent of whom something is opened. */
export interface OpenedAgent {
  grants: readonly GrantedPlace[]
  name: string
  /** What holds now. */
  policy: Pick<NetworkPolicy, 'policy' | 'rules'>
  runId: string
  socket: string
}

/** Where something is put into requests; never what. */
export interface GrantedPlace {
  /** As it is asked for. */
  grant: string
  hosts: readonly string[]
  ports: readonly number[]
  /** Of headers that moat sets or takes out: the agent's own never arrive. Lower case. */
  headers: readonly string[]
  /** The same of the query. */
  query: readonly string[]
}

/** What a policy has opened: hosts with rules about paths, in order, each once. */
export function openedHosts({ grants, policy }: Pick<OpenedAgent, 'grants' | 'policy'>): string[] {
  const ruled = policy.rules.filter(({ paths }: NetworkRule) => paths !== undefined).map(({ host }) => host)
  return [...new Set([...ruled, ...grants.flatMap(({ hosts }) => hosts)])]
}
