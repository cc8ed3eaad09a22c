// Owns whether moat itself made a container that the engine lists: what its seal says of it. Pure.
import type { ContainerInfo } from 'dockerode'
import { containerName, labels } from './labels.js'
import { nameOf } from './listed-container.js'
import { judgeSeal, type SealedContainer, type Verdict } from './seal.js'

/** The moat whose agents are looked for. */
export interface Owner {
  /** Its `~/.moat`. */
  home: string
  /** Undefined where it has made nothing yet. */
  key: Uint8Array | undefined
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

/** The name under which moat would have made it. */
export function originalNameOf({ Labels }: ContainerInfo, home: string): string {
  return containerName(Labels?.[labels.name] ?? '', home)
}
