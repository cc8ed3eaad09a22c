// Owns which volume an agent's clone is kept in. Pure.
import type { VolumeOwner } from '../engine/volumes.js'

/** A dot, which no volume of moat.yaml has in its name: none can be another agent's clone. */
const prefix = 'clone.'

/** One of the agent's name and the repository, so that the next run of that name finds it. `commonDir` is the repository's own directory. */
export function cloneVolume(agent: string, commonDir: string): VolumeOwner {
  return { name: `${prefix}${agent}`, place: commonDir }
}

/** Whose clone a volume is; undefined for any other volume. */
export function agentOfClone({ name }: Pick<VolumeOwner, 'name'>): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined
}
