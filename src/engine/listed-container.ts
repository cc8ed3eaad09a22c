// Owns what the engine's list says of any container: its name and its state. Pure.
import type { ContainerInfo } from 'dockerode'
import type { AgentState } from '../routing/agent.js'

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
