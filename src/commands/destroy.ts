import { Args } from '@oclif/core'
import { destroyAgent, type StoppedAgent } from '../agents/stop-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Destroy extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = 'Remove an agent at once, running or not, kept or not'
  static override enableJsonFlag = true

  async run(): Promise<StoppedAgent> {
    const { args } = await this.parse(Destroy)
    const engine = await this.connectEngine()
    const destroyed = await destroyAgent(engine, await this.proxyOptionsAnyway(), args.agent, this.tellGone())
    this.log(`Destroyed ${destroyed.name} (${destroyed.runId}).`)
    return destroyed
  }
}
