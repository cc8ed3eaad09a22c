// Owns which of the volumes that moat made a person means, and which nobody needs any more.
import { lstat } from 'node:fs/promises'
import { agentOfClone } from '../clones/clone-volume.js'
import type { Engine } from '../engine/engine.js'
import type { VolumeInfo } from '../engine/volumes.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'

type Volumes = Pick<Engine, 'volumes'>

export interface VolumeView extends VolumeInfo {
  /** True when the workspace, or the repository, is gone. */
  abandoned: boolean
  /** Bytes, if that was asked for and the engine says it. */
  size?: number
}

export async function viewVolumes(engine: Volumes, { sizes = false } = {}): Promise<VolumeView[]> {
  const [volumes, bytes] = await Promise.all([engine.volumes.list(), sizes ? engine.volumes.sizes() : undefined])
  return withAbandoned(volumes, bytes)
}

/** The same of those that the engine has listed. */
export function withAbandoned(
  volumes: readonly VolumeInfo[],
  bytes?: ReadonlyMap<string, number>,
): Promise<VolumeView[]> {
  return Promise.all(
    volumes.map(async (volume) => {
      const size = bytes?.get(volume.id)
      return { ...volume, abandoned: await isGone(volume.place), ...(size !== undefined && { size }) }
    }),
  )
}

/**
 * The volumes that are meant, each by what the engine calls it, or by its name, of which the one of `place` comes first. All of
 * them, or VOLUME_NOT_FOUND or USAGE.
 */
export function chooseVolumes(
  volumes: readonly VolumeView[],
  references: readonly string[],
  place: string,
): VolumeView[] {
  return [...new Set(references.map((reference) => chooseVolume(volumes, reference, place)))]
}

function chooseVolume(volumes: readonly VolumeView[], reference: string, place: string): VolumeView {
  const byId = volumes.find(({ id }) => id === reference)
  const named = volumes.filter(({ name }) => name === reference)
  const found = byId ?? named.find((volume) => volume.place === place) ?? (named.length === 1 ? named[0] : undefined)
  if (found) return found
  if (named.length === 0) {
    throw new MoatError('VOLUME_NOT_FOUND', `There is no volume ${reference}.`, { suggestions: ['moat volumes list'] })
  }
  throw new MoatError('USAGE', `${named.length} workspaces have a volume ${reference}.`, {
    exit: exitCodes.usage,
    suggestions: named.map(({ id, place: of }) => `moat volumes rm ${id}   # of ${of}`),
  })
}

/** Those that may go: no container was made with them, and their workspaces are gone, or `all`. Clones are work, and no leftovers. */
export function unneeded(volumes: readonly VolumeView[], all: boolean): VolumeView[] {
  return volumes.filter((volume) => {
    const { abandoned, usedBy } = volume
    return usedBy.length === 0 && (abandoned || (all && agentOfClone(volume) === undefined))
  })
}

/** Throws VOLUME_IN_USE for the first that a container was made with. */
export function assertUnused(volumes: readonly VolumeView[]): void {
  for (const { name, usedBy } of volumes) if (usedBy.length > 0) throw inUse(name, usedBy)
}

/** Removes them one after the other; those that are used by now are left, and are not in the answer. */
export async function removeVolumes(engine: Volumes, volumes: readonly VolumeView[]): Promise<VolumeView[]> {
  const removed: VolumeView[] = []
  for (const volume of volumes) {
    if ((await engine.volumes.remove(volume.id)) !== 'used') removed.push(volume)
  }
  return removed
}

export function inUse(name: string, usedBy: readonly string[]): MoatError {
  const by = usedBy.length > 0 ? `the container ${usedBy.join(', ')}` : 'a container'
  return new MoatError('VOLUME_IN_USE', `The volume ${name} is in use by ${by}.`, {
    suggestions: ['moat list', 'moat stop <agent>', 'moat clean   # containers of ended agents have it too'],
  })
}

/** A drive that cannot be looked at just now is none that is gone. */
async function isGone(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (error) {
    return systemCode(error) === 'ENOENT'
  }
}
