import { describeProvider, type ProviderView } from '../../grants/describe-provider.js'
import { formatProviders } from '../../terminal/format-grants.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Providers extends MoatCommand {
  static override description = 'List the services that moat can give credentials to'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> grant providers']

  async run(): Promise<{ providers: ProviderView[] }> {
    await this.parse(Providers)
    const providers = [...(await this.grantProviders()).values()].map(describeProvider)
    this.log(formatProviders(providers))
    return { providers }
  }
}
