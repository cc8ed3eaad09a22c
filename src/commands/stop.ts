import { Args } from '@oclif/core'
import { type StoppedAgent, stopAgents } from '../agents/stop-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalProgress } from '../terminal/progress.js'
import { tellReview } from '../terminal/tell-review.js'

export default class Stop extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Names, run ids, or beginnings of run ids', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = 'Stop agents; returns when their containers and their routes are gone'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> stop dark-mode',
    '<%= config.bin %> stop dark-mode checkout',
    '<%= config.bin %> stop run_a1b2c3d4e5f6',
  ]
  static override strict = false
  static override usage = 'stop AGENT...'

  /** One agent as itself, as it always was. */
  async run(): Promise<StoppedAgent | { agents: StoppedAgent[] }> {
    const references = (await this.parse(Stop)).argv as string[]
    const engine = await this.connectEngine()
    const proxy = await this.proxyOptionsAnyway()
    const agents = await terminalProgress().step(`Stopping ${references.join(', ')}`, () =>
      stopAgents(engine, proxy, references, this.tellGone()),
    )
    for (const { name, runId } of agents) {
      await tellReview(this.paths, runId, (line) => this.logToStderr(line))
      this.log(`Stopped ${name} (${runId}).`)
    }
    const [only, ...others] = agents
    return only && others.length === 0 ? only : { agents }
  }
}
