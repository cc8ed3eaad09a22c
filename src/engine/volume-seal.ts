// Owns what tells a volume that moat itself made from any that merely has its name or its labels: a seal, as containers have. Pure.
import { createHash } from 'node:crypto'
import { isSame, proof, sealedLabels } from './seal.js'
import type { VolumeOwner } from './volumes.js'

export const volumeLabels = {
  /** The `~/.moat` it belongs to. */
  home: 'dev.moat.home',
  /** The workspace, or the repository's own directory, that has it. */
  place: 'dev.moat.place',
  seal: 'dev.moat.seal',
  /** As moat.yaml calls it. */
  volume: 'dev.moat.volume',
} as const

/** A volume as the engine tells of it. */
export interface ListedVolume {
  Driver?: string
  Labels?: Readonly<Record<string, string>> | null
  Name: string
  Options?: Readonly<Record<string, string>> | null
}

/** What the engine is to call it: the same at each start, and another one for each place and each `~/.moat`. */
export function volumeId({ name, place }: VolumeOwner, home: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([home, place, name]))
    .digest('hex')
  return `moat-${name}-${hash.slice(0, 12)}`
}

/** With the seal. */
export function volumeLabelsOf(owner: VolumeOwner, home: string, key: Uint8Array): Record<string, string> {
  const labels = { [volumeLabels.home]: home, [volumeLabels.place]: owner.place, [volumeLabels.volume]: owner.name }
  return { ...labels, [volumeLabels.seal]: sealOf(key, volumeId(owner, home), labels) }
}

/**
 * Whose a volume is, if this moat made it: undefined for any other. One with options is another's: they have the engine mount a
 * directory of the host there.
 */
export function volumeOwner(volume: ListedVolume, home: string, key: Uint8Array | undefined): VolumeOwner | undefined {
  const { Driver, Labels, Name, Options } = volume
  if (!key || !Labels || Driver !== 'local' || Object.keys(Options ?? {}).length > 0) return undefined
  const { [volumeLabels.home]: labelled, [volumeLabels.place]: place, [volumeLabels.volume]: name } = Labels
  if (labelled !== home || !place || !name) return undefined
  if (!isSame(Labels[volumeLabels.seal] ?? '', sealOf(key, Name, Labels))) return undefined
  return { name, place }
}

function sealOf(key: Uint8Array, id: string, labels: Readonly<Record<string, string>>): string {
  return `v1.${proof(key, 'volume', [id, sealedLabels(labels)])}`
}
