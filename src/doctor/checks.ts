// Owns the list of checks, in the order their findings are shown.
import { checkAgents } from './check-agents.js'
import { checkAuthority } from './check-authority.js'
import { checkCaddy } from './check-caddy.js'
import { checkEgressAuthority } from './check-egress-authority.js'
import { checkEngine } from './check-engine.js'
import { checkGate } from './check-gate.js'
import { checkGrants } from './check-grants.js'
import { checkLeftovers } from './check-leftovers.js'
import { checkNeighbours } from './check-neighbours.js'
import { checkNode } from './check-node.js'
import { checkPort } from './check-port.js'
import { checkProject } from './check-project.js'
import { checkResolver } from './check-resolver.js'
import { checkState } from './check-state.js'
import { checkTrust } from './check-trust.js'
import type { Check } from './diagnosis.js'

export const checks: readonly Check[] = [
  { find: checkEngine, name: 'engine' },
  { find: checkNode, name: 'node' },
  { find: checkCaddy, name: 'caddy' },
  { find: checkPort, name: 'port' },
  { find: checkResolver, name: 'names' },
  { find: checkNeighbours, name: 'neighbours' },
  { find: checkAuthority, name: 'authority' },
  { find: checkEgressAuthority, name: 'second authority' },
  { find: checkTrust, name: 'trust' },
  { find: checkState, name: 'files' },
  { find: checkGrants, name: 'grants' },
  { find: checkAgents, name: 'agents' },
  { find: checkGate, name: 'network' },
  { find: checkLeftovers, name: 'leftovers' },
  { find: checkProject, name: 'project' },
]
