import { Args, Flags } from '@oclif/core'
import { type CheckedUrl, checkUrl, networkOf } from '../../agents/network/check-network.js'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { describeCheck } from '../../terminal/format-network.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class NetworkCheck extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name or run id of an agent, or a directory with a moat.yaml', required: true }),
    url: Args.string({ description: 'A URL, a host, or a host and a port', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents' }
  static override description = 'Say what would be decided about a request, and by which rule'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> network check my-app https://api.github.com/repos/a/b',
    '<%= config.bin %> network check -X POST ./my-app https://api.github.com/graphql',
    '<%= config.bin %> network check my-app db.example.com:5432',
  ]
  static override flags = {
    method: Flags.string({ char: 'X', default: 'GET', description: 'Method of the request' }),
  }

  async run(): Promise<CheckedUrl> {
    const { args, flags } = await this.parse(NetworkCheck)
    const agents = async () => (await (await this.connectEngine()).listAgents()).agents
    const checked = checkUrl(await networkOf(args.agent, agents, this.paths), args.url, flags.method)
    this.log(describeCheck(checked))
    if (checked.allow !== undefined) this.logToStderr(`\nTo allow it:\n  ${checked.allow}`)
    return checked
  }
}
