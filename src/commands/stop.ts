import { Args } from '@oclif/core'
import { type StoppedAgent, stopAgent } from '../agents/stop-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalProgress } from '../terminal/progress.js'
import { tellReview } from '../terminal/tell-review.js'

export default class Stop extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = 'Stop an agent; returns when its container and its routes are gone'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> stop dark-mode', '<%= config.bin %> stop run_a1b2c3d4e5f6']

  async run(): Promise<StoppedAgent> {
    const { args } = await this.parse(Stop)
    const engine = await this.connectEngine()
    const proxy = await this.proxyOptionsAnyway()
    const stopped = await terminalProgress().step(`Stopping ${args.agent}`, () =>
      stopAgent(engine, proxy, args.agent, this.tellGone()),
    )
    await tellReview(this.paths, stopped.runId, (line) => this.logToStderr(line))
    this.log(`Stopped ${stopped.name} (${stopped.runId}).`)
    return stopped
  }
}
