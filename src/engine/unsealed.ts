// Owns containers that have an agent's labels and are none: what is wrong with each, and the command that ends it. Pure.
import type { AgentState } from '../routing/agent.js'
import type { Verdict } from './seal.js'

export type UnsealedReason = Exclude<Verdict, 'genuine'> | 'repeated'

export interface UnsealedContainer {
  containerId: string
  /** The command that puts it right, or takes it away. */
  fix: string
  name: string
  reason: UnsealedReason
  /** Of a run that is known to be moat's: of any other it is only said. */
  runId?: string
  /** Of its processes, as for `Agent`; absent with `runId`, and where the engine has a word of its own for it. */
  state?: AgentState
}

const sentences: Readonly<Record<UnsealedReason, string>> = {
  copied: 'is a copy of the container of an agent',
  foreign: 'has labels that this moat did not write, or that were changed since',
  renamed: 'belongs to an agent and was renamed',
  repeated: 'has the same seal as another container',
  unsealed: "has moat's labels but no seal: moat did not make it, or an earlier version did",
}

/** `program` is the engine's own command line. */
export function unsealedContainer(options: {
  containerId: string
  name: string
  originalName: string
  program: 'docker' | 'podman'
  reason: UnsealedReason
  runId: string | undefined
  state: AgentState | undefined
}): UnsealedContainer {
  const { containerId, name, originalName, program, reason, runId, state } = options
  const fix = reason === 'renamed' ? `${program} rename ${name} ${originalName}` : `${program} rm -f ${name}`
  return { containerId, fix, name, reason, ...(reason === 'renamed' && runId && { runId, ...(state && { state }) }) }
}

/** `The container web is a copy of the container of an agent`, without a full stop. */
export function describeUnsealed({ name, reason }: Pick<UnsealedContainer, 'name' | 'reason'>): string {
  return `The container ${name} ${sentences[reason]}`
}
