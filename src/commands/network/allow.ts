import type { CommandCompletion } from '../../completion/completion-source.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import {
  type NetworkChange,
  networkChange,
  networkChangeArgs,
  networkChangeFlags,
} from '../../terminal/network-change.js'

export default class NetworkAllow extends MoatCommand {
  static override args = networkChangeArgs
  static override completion: CommandCompletion = { agent: 'running-agents' }
  static override description = `Let a running agent reach a host, at once and until it ends
A rule is a host as in moat.yaml, a host with a method and a path, or a preset.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> network allow my-app api.stripe.com',
    '<%= config.bin %> network allow my-app db.example.com:5432',
    '<%= config.bin %> network allow my-app "api.github.com GET /repos/**"',
    '<%= config.bin %> network allow --save my-app preset:npm',
  ]
  static override flags = networkChangeFlags

  async run(): Promise<NetworkChange> {
    const { args, flags } = await this.parse(NetworkAllow)
    const engine = () => this.connectEngine()
    return networkChange('allow', {
      ...args,
      engine,
      log: (line) => this.log(line),
      note: (line) => this.logToStderr(line),
      paths: this.paths,
      save: flags.save,
    })
  }
}
