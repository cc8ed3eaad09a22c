// Owns the part of the engine's port that is about volumes: directories that the engine keeps, which outlive containers.

/** Whose a volume is. Of it the volume's name on the engine is made. */
export interface VolumeOwner {
  /** As moat.yaml calls it. */
  name: string
  /** The real path that has it: a workspace, or a repository's own directory. */
  place: string
}

/** A volume that moat made. */
export interface VolumeInfo extends VolumeOwner {
  /** ISO 8601, if the engine says so. */
  createdAt?: string
  /** What the engine calls it. */
  id: string
  /** Containers made with it, running or not: names. */
  usedBy: string[]
}

/** A volume in a container. */
export interface VolumeMount {
  id: string
  labels: Record<string, string>
  readOnly: boolean
  target: string
}

export interface EngineVolumes {
  /** What a container is to be created with; the volume is made if need be. Rejects for one of that name that moat did not make. */
  ensure(owner: VolumeOwner): Promise<Pick<VolumeMount, 'id' | 'labels'> & { isNew: boolean }>
  /** Those of this moat, by place and name. */
  list(): Promise<VolumeInfo[]>
  /** Has them belong to who is to write there, of a container that was created and has not run. What belongs to somebody else than root stays. */
  own(containerId: string, targets: readonly string[], user: { gid: number; uid: number }): Promise<void>
  /** `used` for one that a container was made with, `absent` for one that is gone, or is not this moat's. */
  remove(id: string): Promise<'absent' | 'removed' | 'used'>
  /** Bytes of what is in each volume of the engine's, by what it calls them, as far as it says. It looks through all their files for that. */
  sizes(): Promise<ReadonlyMap<string, number>>
}
