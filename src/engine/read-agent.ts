// Owns reading an agent from what the engine lists of its container. Pure.
import type { ContainerInfo } from 'dockerode'
import { type Agent, type AgentState, isLive } from '../routing/agent.js'
import { fromLabels } from './labels.js'

/** Docker's states, and the ones Podman has besides. */
const states: Readonly<Record<string, AgentState>> = {
  configured: 'created',
  created: 'created',
  dead: 'dead',
  exited: 'exited',
  initialized: 'created',
  paused: 'paused',
  removing: 'removing',
  restarting: 'restarting',
  running: 'running',
  stopped: 'exited',
  stopping: 'running',
}

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

/** Undefined for a word that no engine is known to use. */
export function stateOf({ State }: Pick<ContainerInfo, 'State'>): AgentState | undefined {
  return Object.hasOwn(states, State) ? states[State] : undefined
}

/**
 * The container's name without the slash the engine puts before it. What others call it by a link (`--link`) is listed
 * too, below their own names.
 */
export function nameOf(info: ContainerInfo): string {
  const own = info.Names?.find((name) => name.lastIndexOf('/') <= 0)
  return (own ?? info.Id.slice(0, 12)).replace(/^\//, '')
}

/** By the ports that they are for. */
function readPorts(ports: ContainerInfo['Ports'] | null, relays: Record<number, number> = {}): Record<number, number> {
  const published: Record<number, number> = {}
  for (const { IP, PrivatePort, PublicPort, Type } of ports ?? []) {
    if (Type === 'tcp' && PublicPort && reachable.has(IP)) published[relays[PrivatePort] ?? PrivatePort] = PublicPort
  }
  return published
}
