// Owns that a network policy is enforced where it is asked for, or the agent does not start: nothing weaker, in silence.
import { isOpen } from '../../egress/effective-policy.js'
import type { Engine } from '../../engine/engine.js'
import { exitCodes, MoatError } from '../../errors.js'
import { listenPorts } from '../../routing/urls.js'
import { sealedOff } from './discovery.js'
import type { AgentPlan } from './plan-agent.js'

const apart =
  'the container engine runs in a virtual machine, or as other users than those of this machine, and the sockets that would be its only way out do not cross that line'

type Plan = Pick<AgentPlan, 'displayFile' | 'endpoints' | 'name' | 'network' | 'ports'> & {
  container?: Pick<AgentPlan['container'], 'runtime'>
}

/** Rejects with CONFIG_INVALID before anything is made. */
export async function assertNetwork(engine: Pick<Engine, 'sharesSockets'>, plan: Plan): Promise<void> {
  const { container: { runtime } = {}, endpoints, network, ports } = plan
  if (isOpen(network)) return
  if (!(await engine.sharesSockets(runtime)))
    throw notEnforced(plan, (await engine.sharesSockets()) ? sealedOff(runtime) : apart)
  const clash = endpoints.find(({ port }) => port !== undefined && network.host.includes(port))
  if (clash) {
    const what = `port ${clash.port} of this machine, which network.host lists, is the endpoint ${clash.name} in the container`
    throw new MoatError('CONFIG_INVALID', `${plan.displayFile}: ${what}.`, {
      exit: exitCodes.usage,
      suggestions: ['give the endpoint another port in moat.yaml'],
    })
  }
  if (network.policy !== 'strict') return
  const published = ports.find(({ hostPort }) => hostPort !== undefined)
  if (published === undefined) return
  const name = endpoints.find(({ port }) => port === published.port)?.name ?? published.port
  const what = `the endpoint ${name} has a port of its own on this machine, for which its container needs a network, and a strict policy leaves it none`
  throw new MoatError('CONFIG_INVALID', `${plan.displayFile}: ${what}.`, {
    exit: exitCodes.usage,
    suggestions: ['take the endpoint out of moat.yaml, or set policy: permissive'],
  })
}

/** The port of the proxy is known only once it runs. */
export function assertHostPorts({ displayFile, network }: Plan, proxyPort: number): void {
  const taken = network.host.find((port) => listenPorts(proxyPort).includes(port))
  if (taken === undefined) return
  const message = `${displayFile}: network.host lists port ${taken}, at which the agent's own URLs answer in its container.`
  throw new MoatError('CONFIG_INVALID', message, {
    exit: exitCodes.usage,
    suggestions: ['take the port out of network.host, or give the proxy another: proxy.port in ~/.moat/config.yaml'],
  })
}

/** `reason` is why this engine, runtime or image cannot do it. */
export function notEnforced(
  { displayFile, name, network }: Omit<Plan, 'endpoints' | 'ports'>,
  reason: string,
): MoatError {
  const what = network.policy === 'strict' ? 'the strict network policy' : 'the network policy'
  return new MoatError('CONFIG_INVALID', `${displayFile}: ${what} of ${name} cannot be enforced here: ${reason}.`, {
    exit: exitCodes.usage,
    suggestions: [
      'use an engine that shares sockets with this machine, e.g. Docker or Podman on Linux',
      'take "network" and "grants" out of moat.yaml, and the default policy out of ~/.moat/config.yaml',
    ],
  })
}
