// Owns what Caddy has to know of the way out: which agents' requests it opens, by which rules, and with whose help.
import type { GrantedPlace } from '../egress/opened-hosts.js'
import type { NetworkPolicy } from '../egress/policy.js'

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
