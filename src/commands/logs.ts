import { Args, Flags } from '@oclif/core'
import { chooseAgent } from '../agents/choose-agent.js'
import { streamOutput } from '../agents/stream-output.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { watchRequests } from '../terminal/watch-requests.js'

export default class Logs extends MoatCommand {
  static override args = {
    agent: Args.string({ description: "Name or run id; default: this directory's agent, or the only one" }),
  }
  static override description = 'Show what an agent has written, or the requests it gets'
  static override examples = [
    '<%= config.bin %> logs dark-mode',
    '<%= config.bin %> logs -f -n 20 dark-mode',
    '<%= config.bin %> logs --requests dark-mode',
  ]
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'Go on until the agent ends' }),
    requests: Flags.boolean({
      description: 'Record and show requests through the proxy, from now until Ctrl+C',
      exclusive: ['tail'],
    }),
    tail: Flags.integer({ char: 'n', description: 'Only the last lines', min: 0 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs)
    const engine = await this.connectEngine()
    const { agents } = await engine.listAgents()
    const agent = await chooseAgent(agents, args.agent, process.cwd())
    if (flags.requests) {
      return watchRequests(agent, {
        agentEnd: engine.wait(agent.containerId),
        log: (line) => this.log(line),
        note: (line) => this.logToStderr(line),
        proxy: await this.proxyOptions(),
      })
    }
    const tail = flags.tail !== undefined && { tail: flags.tail }
    await streamOutput(await engine.sessions.logs(agent.containerId, { follow: flags.follow, ...tail }), process)
  }
}
