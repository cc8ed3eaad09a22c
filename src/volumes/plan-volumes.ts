// Owns whose the volumes of a run are: by the real path of its workspace, or of its repository where moat.yaml says so. Pure.
import type { DeclaredVolume } from '../config/volumes-schema.js'

/** A volume as a run will have it. */
export interface PlannedVolume extends DeclaredVolume {
  /** The real path that has it. */
  place: string
}

/** In the order of moat.yaml. `commonDir` is the own directory of the repository that the workspace is a checkout of. */
export function planVolumes(
  declared: readonly DeclaredVolume[],
  { commonDir, workspace }: { commonDir?: string | undefined; workspace: string },
): PlannedVolume[] {
  return declared.map((volume) => ({
    ...volume,
    place: volume.scope === 'repository' ? (commonDir ?? workspace) : workspace,
  }))
}
