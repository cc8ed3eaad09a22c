import { text as readText } from 'node:stream/consumers'
import { Args } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { type MadeGrant, makeGrant } from '../../grants/make-grant.js'
import { chooseProfile } from '../../grants/profile.js'
import { syncRoutes } from '../../supervisor/control-client.js'
import { askHidden } from '../../terminal/ask-hidden.js'
import { describeMade } from '../../terminal/format-grants.js'
import { grantFlags } from '../../terminal/grant-flags.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Grant extends MoatCommand {
  static override args = {
    provider: Args.string({
      description: 'A provider, see moat grant providers, ssh: and a host, or a name of your own',
      required: true,
    }),
  }
  static override completion: CommandCompletion = { provider: 'grant-providers' }
  static override description = `Let agents use a credential that they never see
The value comes from the provider's variable or tool, or you type it. It never stands in the command line.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> grant github',
    '<%= config.bin %> grant npm --host npm.acme.test --scope @acme --as acme-npm',
    "<%= config.bin %> grant my-api --host api.my.test --header X-Api-Key --command 'op read op://dev/api/key'",
    '<%= config.bin %> grant ssh:github.com --key ~/.ssh/id_ed25519.pub',
  ]
  static override flags = grantFlags
  static override usage =
    'grant PROVIDER [--as <name>] [--host <host>]... [--command <command> | --from <reference> | --stdin] [--key <key>]...'

  async run(): Promise<MadeGrant> {
    const { args, flags } = await this.parse(Grant)
    const made = await makeGrant(
      args.provider,
      {
        ...flags,
        input: flags.stdin ? await readText(process.stdin) : undefined,
        signCommits: flags['sign-commits'],
      },
      () => this.grantProviders(),
      {
        directory: this.paths.grants,
        note: (line) => this.logToStderr(line),
        profile: chooseProfile(flags.profile),
        type: async (question) => (this.jsonEnabled() ? undefined : askHidden(question)),
      },
    )
    await syncRoutes(this.paths.controlSocket)
    for (const line of describeMade(made)) this.log(line)
    return made
  }
}
