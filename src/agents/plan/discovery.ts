// Owns that ports which nobody declared can be discovered where moat.yaml asks for it: a key that does nothing would be a lie.
import type { Engine } from '../../engine/engine.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { AgentPlan } from './plan-agent.js'

/** Why sockets do not lead into any container. */
export const apart =
  'the container engine runs in a virtual machine, or as other users than those of this machine, and sockets do not cross that line'

type Plan = Pick<AgentPlan, 'discoverPlace'> & { container?: Pick<AgentPlan['container'], 'runtime'> }

/** Rejects with CONFIG_INVALID on an engine where it cannot be. */
export async function assertDiscovery(engine: Pick<Engine, 'sharesSockets'>, plan: Plan): Promise<void> {
  const { container: { runtime } = {}, discoverPlace } = plan
  if (discoverPlace === undefined || (await engine.sharesSockets(runtime))) return
  throw noDiscovery(discoverPlace, (await engine.sharesSockets()) ? sealedOff(runtime) : apart)
}

/** Why sockets do not lead into a container of this runtime's. */
export function sealedOff(runtime: string | undefined): string {
  return `the runtime ${runtime ?? 'of the engine'} gives each container a kernel of its own, and sockets do not lead out of it`
}

/** `place` is that of the key. */
export function noDiscovery(place: string, reason: string): MoatError {
  const message = `${place}: "discover" is not possible here: ${reason}.`
  return new MoatError('CONFIG_INVALID', message, {
    exit: exitCodes.usage,
    suggestions: ['declare the ports instead, e.g. ports: {web: 5173}, and take "discover" out of moat.yaml'],
  })
}
