import { Args } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { namedGrant, renameGrant } from '../../grants/find-grant.js'
import { type GrantView, viewGrant } from '../../grants/grant.js'
import { chooseProfile } from '../../grants/profile.js'
import { syncRoutes } from '../../supervisor/control-client.js'
import { profileFlag } from '../../terminal/grant-flags.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Rename extends MoatCommand {
  static override args = {
    name: Args.string({ description: 'Name of the grant', required: true }),
    to: Args.string({ description: 'Its new name', required: true }),
  }
  static override completion: CommandCompletion = { name: 'grants' }
  static override description = 'Give a grant another name; running agents know it by the old one only'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> grant rename github github-bot']
  static override flags = profileFlag

  async run(): Promise<GrantView> {
    const { args, flags } = await this.parse(Rename)
    const from = namedGrant(args.name, chooseProfile(flags.profile))
    const grant = await renameGrant(this.paths.grants, from, args.to)
    await syncRoutes(this.paths.controlSocket)
    this.log(
      `The grant ${args.name} is now called ${args.to}. Running agents lose it until they are started again with the new name.`,
    )
    return viewGrant(grant)
  }
}
