import { type NetworkChange, NetworkChangeCommand } from '../../terminal/network-change.js'

export default class NetworkDeny extends NetworkChangeCommand {
  static override description = `Keep a running agent from a host, at once and until it ends
Connections that it already has go on. A rule is as for moat network allow.`
  static override examples = [
    '<%= config.bin %> network deny my-app tracking.example.com',
    '<%= config.bin %> network deny my-app "api.github.com POST /repos/**"',
    '<%= config.bin %> network deny --save my-app "*.tracking.example.com"',
  ]

  async run(): Promise<NetworkChange> {
    const { args, flags } = await this.parse(NetworkDeny)
    return this.change('deny', args, flags.save)
  }
}
