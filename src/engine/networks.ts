// Owns the part of the engine's port that is about the network that agents are on.

export interface EngineNetworks {
  /** The network on which containers reach the world and not each other, made if need be; undefined where an engine has none such. */
  ensure(): Promise<string | undefined>
  /** Absent or used is fine. */
  remove(): Promise<void>
  /** Networks that moat made and no container is on. */
  unused(): Promise<string[]>
}
