import { Args } from '@oclif/core'
import { planAgent } from '../agents/plan-agent.js'
import { collectEndpointTypes } from '../endpoints/collect-endpoint-types.js'
import type { AgentView } from '../routing/agent-view.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { runFlags, toRunRequest } from '../terminal/run-flags.js'
import { runSession } from '../terminal/run-session.js'
import { splitCommand } from '../terminal/split-command.js'

export default class Run extends MoatCommand {
  static override args = {
    path: Args.string({
      default: '.',
      description: 'Directory with a moat.yaml; it becomes /workspace in the container',
    }),
  }
  static override description = 'Run an agent in a container and give its ports URLs'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> run --name dark-mode ./my-app',
    '<%= config.bin %> run -d ./my-app',
    '<%= config.bin %> run ./my-app -- npm test',
    '<%= config.bin %> run -i ./my-app -- bash',
  ]
  static override flags = runFlags
  static override usage = 'run [PATH] [-n <name>] [-d | -i] [-e KEY=value]... [--mount <mount>]... [-- COMMAND...]'

  async run(): Promise<AgentView & { exitCode?: number }> {
    const { argv, command } = splitCommand(this.argv)
    const { args, flags } = await this.parse(Run, argv)
    const plan = await planAgent(toRunRequest(flags, args.path, command), await collectEndpointTypes(this.config))
    const outcome = await runSession(plan, {
      engine: await this.connectEngine({ note: false }),
      flags,
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      proxy: await this.proxyOptions(),
    })
    process.exitCode = outcome.exitCode ?? 0
    return outcome
  }
}
