// Owns the plain data that the supervisor gives the gate, and what the gate says of itself. No behaviour, no I/O.
import type { NetworkPolicy, NetworkRule } from '../egress/policy.js'

/** An agent as far as the gate goes. */
export interface GatedAgent {
  /** Where its grants let it: what is open there ends when the grant is another, or none. */
  granted?: GrantedHost[]
  name: string
  /** What holds now: what was added to it while it runs comes first. */
  policy: NetworkPolicy
  runId: string
}

export interface GrantedHost extends Pick<NetworkRule, 'effect' | 'host' | 'port'> {
  /** Another text when the grant is another. */
  mark: string
}

/** Answered to everything that is asked at the control socket. */
export interface GateStatus {
  /** Which program it is: another one is an earlier or a later moat's. */
  id: string
  pid: number
}

export const gatePaths = { status: '/status', stop: '/stop', table: '/table' } as const
