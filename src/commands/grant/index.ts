import { text as readText } from 'node:stream/consumers'
import { Args, Flags } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { type MadeGrant, makeGrant } from '../../grants/make-grant.js'
import { chooseProfile } from '../../grants/profile.js'
import { syncRoutes } from '../../supervisor/control-client.js'
import { askHidden } from '../../terminal/ask-hidden.js'
import { describeMade } from '../../terminal/format-grants.js'
import { profileFlag } from '../../terminal/grant-flags.js'
import { MoatCommand } from '../../terminal/moat-command.js'

const several = { multiple: true, multipleNonGreedy: true } as const
/** A value comes from one place. */
const others = (flag: string) => ({ exclusive: ['command', 'env', 'from', 'stdin'].filter((name) => name !== flag) })

export default class Grant extends MoatCommand {
  static override args = {
    provider: Args.string({
      description: 'A provider, see moat grant providers, or a name of your own',
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
  ]
  static override flags = {
    as: Flags.string({ description: 'Name of the grant; default: that of the provider' }),
    basic: Flags.string({ description: 'Username that the value is the password of', exclusive: ['header', 'query'] }),
    check: Flags.boolean({ allowNo: true, default: true, description: 'Ask the service whether it takes the value' }),
    command: Flags.string({
      description: 'Have the value printed by this command, whenever it is needed',
      ...others('command'),
    }),
    env: Flags.string({
      description: 'Take the value from this variable of the proxy, whenever it is needed',
      ...others('env'),
    }),
    from: Flags.string({ description: 'Where the value is: op://…, file://… or env://…', ...others('from') }),
    header: Flags.string({ description: 'Header to set: a name, or "Name: text with {token}"', exclusive: ['query'] }),
    host: Flags.string({ description: 'Host that gets the value, with :port if it is not 443', ...several }),
    query: Flags.string({ description: 'Parameter of the query to set' }),
    scope: Flags.string({ description: 'Scope of packages that are at the host: @acme', ...several }),
    stdin: Flags.boolean({ description: 'Read the value from stdin', ...others('stdin') }),
    variable: Flags.string({ description: 'Variable that the container has with a placeholder in it', ...several }),
    ...profileFlag,
  }
  static override usage =
    'grant PROVIDER [--as <name>] [--host <host>]... [--command <command> | --from <reference> | --stdin]'

  async run(): Promise<MadeGrant> {
    const { args, flags } = await this.parse(Grant)
    const made = await makeGrant(
      args.provider,
      { ...flags, input: flags.stdin ? await readText(process.stdin) : undefined },
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
