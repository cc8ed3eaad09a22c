// Owns what a start of an agent is given beside its plan: who starts it, where, and how it is to end.
import type { MoatPaths } from '../config/paths.js'
import type { WantedAddress } from '../config/settings.js'
import type { Engine } from '../engine/engine.js'
import type { Progress } from './progress.js'

export interface StartOptions {
  /** Stream the agent's output from its first byte. */
  attach: boolean
  /** Give it a terminal and stdin. */
  interactive: boolean
  /** Keep the container when the agent ends. */
  keep: boolean
  engine: Engine
  paths: MoatPaths
  progress: Progress
  /** Build the image anew. */
  rebuild: boolean
  /** Have the engine remove the container when the agent ends. */
  removeAtEnd: boolean
  signal: AbortSignal
  user: { gid: number; uid: number }
  /** Tell what the agent is given so that its framework works behind the proxy. */
  verbose: boolean
  version: string
  wanted: WantedAddress
}
