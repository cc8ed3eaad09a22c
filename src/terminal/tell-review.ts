// Owns the word about an ended run: that it has left something to be looked at. It never fails what it comes after.
import type { MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { reviewableRuns, reviewRun } from '../review/review.js'
import { settleCheckout } from '../worktrees/settle-checkout.js'
import { cloneLine, reviewLine } from './format-review.js'
import { visible } from './visible.js'

export async function tellReview(paths: MoatPaths, runId: string, note: (line: string) => void): Promise<void> {
  try {
    const run = (await reviewableRuns(paths)).find((candidate) => candidate.runId === runId)
    if (!run) return
    const review = await reviewRun(run)
    if (review.clone) {
      note(cloneLine(review.name))
      return
    }
    for (const said of await settleCheckout(review.workspace, paths.home, runId)) note(visible(said))
    const line = reviewLine(review)
    if (line !== undefined) note(line)
  } catch (error) {
    note(`What ${runId} has changed could not be looked at: ${messageOf(error)}`)
  }
}
