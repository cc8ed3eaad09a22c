// Owns what a run says to the process that watches its workspace.

import type { MoatPaths } from '../config/paths.js'
import type { SnapshotTriggers } from '../config/snapshots-schema.js'

export interface TriggerArguments {
  agent: string
  /** The commit that was checked out before the agent began. */
  commit?: string
  containerId: string
  /** Where the engine answers. */
  engine: string
  paths: Pick<MoatPaths, 'home' | 'snapshots'>
  retention: number
  runId: string
  triggers: SnapshotTriggers
  workspace: string
}
