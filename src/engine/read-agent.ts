// Owns reading an agent from what the engine lists of its container. Pure.
import type { ContainerInfo } from 'dockerode'
import { type Agent, isLive } from '../routing/agent.js'
import { stateOf } from './listed-container.js'
import { fromLabels } from './read-labels.js'

/** Host addresses at which 127.0.0.1 answers. Engines leave the address out, or empty, for all of IPv4. */
const reachable = new Set<string | undefined>(['127.0.0.1', '0.0.0.0', '', undefined])

/** Throws an Error that says what could not be read. */
export function readAgent(info: ContainerInfo): Agent {
  const agent = fromLabels(info.Labels)
  const state = stateOf(info)
  if (!state) throw new Error(`its state "${info.State}" is unknown`)
  return {
    ...agent,
    containerId: info.Id,
    createdAt: new Date(info.Created * 1000).toISOString(),
    // Podman goes on listing the ports of a container that has ended.
    published: isLive({ state }) ? readPorts(info.Ports, agent.relays) : {},
    state,
  }
}

/** By the ports that they are for. */
function readPorts(ports: ContainerInfo['Ports'] | null, relays: Record<number, number> = {}): Record<number, number> {
  const published: Record<number, number> = {}
  for (const { IP, PrivatePort, PublicPort, Type } of ports ?? []) {
    if (Type === 'tcp' && PublicPort && reachable.has(IP)) published[relays[PrivatePort] ?? PrivatePort] = PublicPort
  }
  return published
}
