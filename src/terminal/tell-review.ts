// Owns the word about an ended run: that it has left something to be looked at. It never fails what it comes after.
import type { MoatPaths } from '../config/paths.js'
import { visible } from '../config/visible.js'
import { messageOf } from '../errors.js'
import { reviewableRuns, reviewRun } from '../review/review.js'
import { readRunRecord } from '../review/run-records.js'
import { settleCheckout } from '../worktrees/settle-checkout.js'
import { cloneLine, reviewLine } from './format-review.js'

/** What `tellReview` tells. */
export async function reviewLines(paths: MoatPaths, runId: string): Promise<string[]> {
  const lines: string[] = []
  await tellReview(paths, runId, (line) => lines.push(line))
  return lines
}

export async function tellReview(paths: MoatPaths, runId: string, note: (line: string) => void): Promise<void> {
  try {
    const run = (await reviewableRuns(paths)).find((candidate) => candidate.runId === runId)
    if (!run) return
    const { clone, name, workspace } = await readRunRecord(run.file)
    if (clone) {
      note(cloneLine(name))
      return
    }
    // First, and whatever becomes of the review: what an agent has left must not keep this from being done.
    for (const said of await settleCheckout(workspace, paths.home, runId)) note(visible(said))
    const review = await reviewRun(run)
    const line = reviewLine(review)
    if (line !== undefined) note(line)
  } catch (error) {
    note(`What ${runId} has changed could not be looked at: ${messageOf(error)}`)
  }
}
