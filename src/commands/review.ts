import { Args } from '@oclif/core'
import { findAgent } from '../agents/find-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { exitCodes } from '../errors.js'
import { type Review as ReviewedRun, reviewableRuns, reviewRun } from '../review/review.js'
import { formatReview } from '../terminal/format-review.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Review extends MoatCommand {
  static override args = {
    agent: Args.string({
      description: 'Name, run id, or the beginning of a run id; the run may have ended',
      required: true,
    }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = `Show what an agent has changed of the files that your own tools run or trust
Exits with 3 if anything has changed.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> review dark-mode', '<%= config.bin %> review run_a1b2 --json']

  async run(): Promise<ReviewedRun> {
    const { args } = await this.parse(Review)
    const review = await reviewRun(findAgent(await reviewableRuns(this.paths), args.agent))
    for (const line of formatReview(review)) this.log(line)
    if (review.findings.length > 0 || !review.complete) process.exitCode = exitCodes.toReview
    return review
  }
}
