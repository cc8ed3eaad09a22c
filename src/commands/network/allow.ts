import { type NetworkChange, NetworkChangeCommand } from '../../terminal/network-change.js'

export default class NetworkAllow extends NetworkChangeCommand {
  static override description = `Let a running agent reach a host, at once and until it ends
A rule is a host as in moat.yaml, a host with a method and a path, or a preset.`
  static override examples = [
    '<%= config.bin %> network allow my-app api.stripe.com',
    '<%= config.bin %> network allow my-app db.example.com:5432',
    '<%= config.bin %> network allow my-app "api.github.com GET /repos/**"',
    '<%= config.bin %> network allow --save my-app preset:npm',
  ]

  async run(): Promise<NetworkChange> {
    const { args, flags } = await this.parse(NetworkAllow)
    return this.change('allow', args, flags.save)
  }
}
