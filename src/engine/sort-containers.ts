// Owns which of the containers that have an agent's labels are agents: those whose seal proves it. Pure.
import type { ContainerInfo } from 'dockerode'
import type { AgentList } from './engine.js'
import { engineMessage } from './engine-errors.js'
import { containerName, labels } from './labels.js'
import { nameOf, readAgent, stateOf } from './read-agent.js'
import { judgeSeal, type SealedContainer, type Verdict } from './seal.js'
import { unsealedContainer } from './unsealed.js'

/** The moat whose agents are looked for. */
export interface Owner {
  /** Its `~/.moat`. */
  home: string
  /** Undefined where it has made nothing yet. */
  key: Uint8Array | undefined
}

export function sortContainers(
  containers: readonly ContainerInfo[],
  owner: Owner,
  program: 'docker' | 'podman' = 'docker',
): AgentList {
  const sorted: AgentList = { agents: [], unreadable: [], unsealed: [] }
  const judged = containers
    .filter((info) => claimsToBe(info, owner.home))
    .toSorted(byAge)
    .map((info) => ({ info, verdict: judgeContainer(info, owner) }))
  for (const { info, verdict } of judged) {
    const containerId = info.Id
    const name = nameOf(info)
    const reason = verdict === 'genuine' ? isRepeated(info, judged) && 'repeated' : verdict
    if (reason) {
      const originalName = originalNameOf(info, owner.home)
      const runId = info.Labels[labels.runId]
      const state = stateOf(info)
      sorted.unsealed.push(unsealedContainer({ containerId, name, originalName, program, reason, runId, state }))
      continue
    }
    try {
      sorted.agents.push(readAgent(info))
    } catch (error) {
      sorted.unreadable.push({ containerId, name, reason: engineMessage(error) })
    }
  }
  return sorted
}

/** Whether moat itself made this very container. */
export function judgeContainer(info: ContainerInfo, { home, key }: Owner): Verdict {
  const verdict = judgeSeal(key, sealedContainer(info), originalNameOf(info, home))
  // A seal of this key for another home is of a `~/.moat` that was copied.
  return verdict === 'genuine' && info.Labels[labels.home] !== home ? 'foreign' : verdict
}

/** What a seal is bound to, as the engine lists it. */
export function sealedContainer(info: ContainerInfo): Required<SealedContainer> {
  const mounts = (info.Mounts ?? []).filter(({ Type }) => Type === 'bind')
  return {
    image: info.ImageID,
    labels: info.Labels ?? {},
    mounts: mounts.map(({ Destination, RW, Source }) => ({ readOnly: !RW, source: Source, target: Destination })),
    name: nameOf(info),
  }
}

/** Those of another `~/.moat` are that one's business. */
function claimsToBe({ Labels }: ContainerInfo, home: string): boolean {
  return Boolean(Labels?.[labels.runId]) && (Labels[labels.home] || home) === home
}

/** The name under which moat would have made it. */
function originalNameOf({ Labels }: ContainerInfo, home: string): string {
  return containerName(Labels?.[labels.name] ?? '', home)
}

/**
 * A run is one container. Names are unique on an engine, so that two of a run can hardly be genuine; should an engine show
 * such a pair nevertheless, neither is believed.
 */
function isRepeated(one: ContainerInfo, judged: readonly { info: ContainerInfo; verdict: Verdict }[]): boolean {
  const seals = judged.filter(({ info, verdict }) => {
    return verdict === 'genuine' && info.Labels[labels.runId] === one.Labels[labels.runId]
  })
  return seals.length > 1
}

function byAge(a: ContainerInfo, b: ContainerInfo): number {
  return a.Created - b.Created || (nameOf(a) < nameOf(b) ? -1 : 1)
}
