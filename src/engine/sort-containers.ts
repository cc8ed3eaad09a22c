// Owns which of the containers that have an agent's labels are agents: those whose seal proves it. Pure.
import type { ContainerInfo } from 'dockerode'
import type { Agent } from '../routing/agent.js'
import type { AgentList } from './engine.js'
import { engineMessage } from './engine-errors.js'
import { judgeContainer, type Owner, originalNameOf } from './judge-container.js'
import { labels } from './labels.js'
import { nameOf, stateOf } from './listed-container.js'
import { readAgent } from './read-agent.js'
import { isSameContainer } from './same-container.js'
import type { Verdict } from './seal.js'
import { unsealedContainer } from './unsealed.js'

/** What was made of containers, by their ids. */
export type Judged = Map<string, JudgedContainer>

interface JudgedContainer {
  /** Undefined for what is none, or cannot be read. */
  agent?: Agent
  info: ContainerInfo
  key: Uint8Array | undefined
  reason?: string
  verdict: Verdict
}

/**
 * `known` is what was made of them before: those that are the same are the same agents, as objects too. It is brought up to date.
 */
export function sortContainers(
  containers: readonly ContainerInfo[],
  owner: Owner,
  program: 'docker' | 'podman' = 'docker',
  known: Judged = new Map(),
): AgentList {
  const sorted: AgentList = { agents: [], unreadable: [], unsealed: [] }
  const judged = containers
    .filter((info) => claimsToBe(info, owner.home))
    .toSorted(byAge)
    .map((info) => judgedAnew(info, owner, known.get(info.Id)))
  const genuine = judged.filter(({ verdict }) => verdict === 'genuine')
  const seals = Map.groupBy(genuine, ({ info }) => info.Labels[labels.runId])
  known.clear()
  for (const one of judged) {
    const { agent, info, verdict } = one
    known.set(info.Id, one)
    const containerId = info.Id
    const name = nameOf(info)
    const runId = info.Labels[labels.runId]
    const reason = verdict === 'genuine' ? isRepeated(seals.get(runId)) && 'repeated' : verdict
    if (reason) {
      const originalName = originalNameOf(info, owner.home)
      const state = stateOf(info)
      sorted.unsealed.push(unsealedContainer({ containerId, name, originalName, program, reason, runId, state }))
    } else if (agent) sorted.agents.push(agent)
    else sorted.unreadable.push({ containerId, name, reason: one.reason ?? '' })
  }
  return sorted
}

function judgedAnew(info: ContainerInfo, owner: Owner, before: JudgedContainer | undefined): JudgedContainer {
  if (before && isSameKey(before.key, owner.key) && isSameContainer(before.info, info)) return before
  const one = { info, key: owner.key, verdict: judgeContainer(info, owner) }
  if (one.verdict !== 'genuine') return one
  try {
    return { ...one, agent: readAgent(info) }
  } catch (error) {
    return { ...one, reason: engineMessage(error) }
  }
}

/** Those of another `~/.moat` are that one's business. */
function claimsToBe({ Labels }: ContainerInfo, home: string): boolean {
  return Boolean(Labels?.[labels.runId]) && (Labels[labels.home] || home) === home
}

/**
 * A run is one container. Names are unique on an engine, so that two of a run can hardly be genuine; should an engine show
 * such a pair nevertheless, neither is believed.
 */
function isRepeated(ofRun: readonly unknown[] = []): boolean {
  return ofRun.length > 1
}

function isSameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0)
}

function byAge(a: ContainerInfo, b: ContainerInfo): number {
  return a.Created - b.Created || (nameOf(a) < nameOf(b) ? -1 : 1)
}
