// Owns what a person reads of volumes.
import { agentOfClone } from '../clones/clone-volume.js'
import { displayPath } from '../config/paths.js'
import { visible } from '../config/visible.js'
import { formatAge } from '../routing/format-age.js'
import type { VolumeView } from '../volumes/find-volumes.js'
import { formatBytes } from './format-bytes.js'
import { formatTable } from './table.js'

/** With a column of sizes where they were asked for. */
export function formatVolumes(
  volumes: readonly VolumeView[],
  { now = Date.now(), sizes = false }: { now?: number; sizes?: boolean } = {},
): string {
  const rows = volumes.map(({ abandoned, createdAt, id, name, place, size, usedBy }) => [
    name,
    id,
    ...(sizes ? [size === undefined ? '?' : formatBytes(size)] : []),
    createdAt === undefined ? '' : formatAge(createdAt, now),
    usedBy.length > 0 ? usedBy.map(visible) : '-',
    `${visible(displayPath(place))}${abandoned ? ' (gone)' : ''}`,
  ])
  return formatTable([['NAME', 'VOLUME', ...(sizes ? ['SIZE'] : []), 'AGE', 'USED BY', 'WORKSPACE'], ...rows])
}

export function describeVolume({ id, name, place }: VolumeView): string {
  const agent = agentOfClone({ name })
  if (agent !== undefined) {
    return `volume  the clone that ${agent} works in, of ${visible(displayPath(place))} (${id}); what was not pulled is lost`
  }
  return `volume  ${name} of ${visible(displayPath(place))} (${id})`
}

/** For `moat clean`, which removes none. */
export function describeKept({ length }: readonly VolumeView[]): string {
  return `${length === 1 ? '1 volume' : `${length} volumes`} of workspaces that are gone ${length === 1 ? 'stays' : 'stay'}: moat volumes prune`
}
