// Owns that ports which nobody declared can be discovered where moat.yaml asks for it: a key that does nothing would be a lie.
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import type { AgentPlan } from './plan-agent.js'

const apart =
  'the container engine runs in a virtual machine, or as other users than those of this machine, and sockets do not cross that line'

type Plan = Pick<AgentPlan, 'discoverPlace'>

/** Rejects with CONFIG_INVALID on an engine where it cannot be. */
export async function assertDiscovery(engine: Pick<Engine, 'sharesSockets'>, plan: Plan): Promise<void> {
  if (plan.discoverPlace === undefined || (await engine.sharesSockets())) return
  throw noDiscovery(plan.discoverPlace, apart)
}

/** `place` is that of the key. */
export function noDiscovery(place: string, reason: string): MoatError {
  const message = `${place}: "discover" is not possible here: ${reason}.`
  return new MoatError('CONFIG_INVALID', message, {
    exit: exitCodes.usage,
    suggestions: ['declare the ports instead, e.g. ports: {web: 5173}, and take "discover" out of moat.yaml'],
  })
}
