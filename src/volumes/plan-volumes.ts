// Owns whose the volumes of a run are: by the real path of its workspace, or of its repository where moat.yaml says so. Pure.
import type { DeclaredVolume } from '../config/volumes-schema.js'

/** A volume as a run will have it. */
export interface PlannedVolume extends DeclaredVolume {
  /** The real path that has it. */
  place: string
}

/**
 * In the order of moat.yaml. `commonDir` is the own directory of the repository that the workspace is a checkout of. An agent that works in a
 * `clone` of its own, called so, shares no files with the workspace's others, so it has volumes of its own too: a dot is in no name of moat.yaml.
 */
export function planVolumes(
  declared: readonly DeclaredVolume[],
  { clone, commonDir, workspace }: { clone?: string | undefined; commonDir?: string | undefined; workspace: string },
): PlannedVolume[] {
  return declared.map((volume) => ({
    ...volume,
    name: clone !== undefined && volume.scope === 'workspace' ? `${volume.name}.${clone}` : volume.name,
    place: volume.scope === 'repository' ? (commonDir ?? workspace) : workspace,
  }))
}
