// Owns the word about an ended run: that it has left something to be looked at. It never fails what it comes after.

import type { MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { reviewableRuns, reviewRun } from '../review/review.js'
import { reviewLine } from './format-review.js'

export async function tellReview(paths: MoatPaths, runId: string, note: (line: string) => void): Promise<void> {
  try {
    const run = (await reviewableRuns(paths)).find((candidate) => candidate.runId === runId)
    const line = run && reviewLine(await reviewRun(run))
    if (line !== undefined) note(line)
  } catch (error) {
    note(`What ${runId} has changed could not be looked at: ${messageOf(error)}`)
  }
}
