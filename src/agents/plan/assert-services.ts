// Owns that an agent can reach its services where moat.yaml declares some: before anything is made, or with the reason why not.
import type { Engine } from '../../engine/engine.js'
import { exitCodes, MoatError } from '../../errors.js'
import { listenPorts } from '../../routing/urls.js'
import { assertBesideProxy, assertServicePorts, type PlannedService } from '../../services/plan-services.js'
import { assertHostPorts } from './assert-network.js'
import { apart, sealedOff } from './discovery.js'
import { type AgentPlan, hasUrls } from './plan-agent.js'

type Plan = Pick<AgentPlan, 'container' | 'endpoints' | 'network' | 'ports' | 'services'>

/** Rejects with CONFIG_INVALID. */
export async function assertServices(engine: Pick<Engine, 'sharesSockets'>, plan: Plan): Promise<void> {
  const { container, services } = plan
  if (services.length === 0) return
  assertServicePorts(plan)
  const { runtime } = container
  if (await engine.sharesSockets(runtime)) return
  assertReached(services, (await engine.sharesSockets()) ? sealedOff(runtime) : apart)
}

/** The port of the proxy is known only once it runs; an agent without URLs has none of them in its container. */
export function assertProxyPort(plan: Parameters<typeof assertHostPorts>[0] & Plan, proxyPort: number): void {
  assertHostPorts(plan, proxyPort)
  if (hasUrls(plan)) assertBesideProxy(plan.services, listenPorts(proxyPort))
}

/** `reason` is why this engine, runtime or image leads to no service. */
export function assertReached([first]: readonly PlannedService[], reason: string): void {
  if (!first) return
  throw new MoatError('CONFIG_INVALID', `${first.place}: services cannot be reached here: ${reason}.`, {
    exit: exitCodes.usage,
    suggestions: [
      'use an engine that shares sockets with this machine, e.g. Docker or Podman on Linux',
      'run the service as an agent of its own, with ports: {db: {type: tcp, port: 5432}}',
    ],
  })
}
