// Owns what a run and its guard say to each other.
import type { GitPlace } from '../worktrees/git-place.js'

export interface GuardArguments {
  /** Where the engine answers. */
  engine: string
  home: string
  place: GitPlace
  runId: string
}

/** What the guard says once it watches. */
export const readyWord = 'ready\n'
