import { Args, Flags } from '@oclif/core'
import { chooseAgent } from '../agents/choose-agent.js'
import { streamOutput } from '../agents/stream-output.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Logs extends MoatCommand {
  static override args = {
    agent: Args.string({ description: "Name or run id; default: this directory's agent, or the only one" }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = 'Show what an agent has written'
  static override examples = ['<%= config.bin %> logs dark-mode', '<%= config.bin %> logs -f -n 20 dark-mode']
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'Go on until the agent ends' }),
    tail: Flags.integer({ char: 'n', description: 'Only the last lines', min: 0 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs)
    const engine = await this.connectEngine()
    const { agents } = await engine.listAgents()
    const { containerId } = await chooseAgent(agents, args.agent, process.cwd())
    const tail = flags.tail !== undefined && { tail: flags.tail }
    await streamOutput(await engine.sessions.logs(containerId, { follow: flags.follow, ...tail }), process)
  }
}
