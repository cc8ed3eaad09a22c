import type { CommandCompletion } from '../../completion/completion-source.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import {
  type NetworkChange,
  networkChange,
  networkChangeArgs,
  networkChangeFlags,
} from '../../terminal/network-change.js'

export default class NetworkDeny extends MoatCommand {
  static override args = networkChangeArgs
  static override completion: CommandCompletion = { agent: 'running-agents' }
  static override description = `Keep a running agent from a host, at once and until it ends
Connections that it already has go on. A rule is as for moat network allow.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> network deny my-app tracking.example.com',
    '<%= config.bin %> network deny my-app "api.github.com POST /repos/**"',
    '<%= config.bin %> network deny --save my-app "*.tracking.example.com"',
  ]
  static override flags = networkChangeFlags

  async run(): Promise<NetworkChange> {
    const { args, flags } = await this.parse(NetworkDeny)
    const engine = () => this.connectEngine()
    return networkChange('deny', {
      ...args,
      engine,
      log: (line) => this.log(line),
      note: (line) => this.logToStderr(line),
      paths: this.paths,
      save: flags.save,
    })
  }
}
