// Owns the plain data that the supervisor gives the gate, and what the gate says of itself. No behaviour, no I/O.
import type { NetworkPolicy } from '../egress/policy.js'

/** An agent as far as the gate goes. */
export interface GatedAgent {
  name: string
  /** What holds now: what was added to it while it runs comes first. */
  policy: NetworkPolicy
  runId: string
}

/** Answered to everything that is asked at the control socket. */
export interface GateStatus {
  /** Which program it is: another one is an earlier or a later moat's. */
  id: string
  pid: number
}

export const gatePaths = { status: '/status', stop: '/stop', table: '/table' } as const
