import { Args } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { missingGrant, namedGrant } from '../../grants/find-grant.js'
import { detailsOf, type GrantDetails } from '../../grants/grant.js'
import { chooseProfile } from '../../grants/profile.js'
import { readGrant } from '../../grants/store.js'
import { formatGrantDetails } from '../../terminal/format-grants.js'
import { profileFlag } from '../../terminal/grant-flags.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Show extends MoatCommand {
  static override args = { name: Args.string({ description: 'Name of the grant', required: true }) }
  static override completion: CommandCompletion = { name: 'grants' }
  static override description = 'Show what a grant does, but never its value'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> grant show github']
  static override flags = profileFlag

  async run(): Promise<GrantDetails> {
    const { args, flags } = await this.parse(Show)
    const name = namedGrant(args.name, chooseProfile(flags.profile))
    const grant = await readGrant(this.paths.grants, name)
    if (!grant) throw await missingGrant(this.paths.grants, name)
    const details = detailsOf(grant)
    for (const line of formatGrantDetails(details)) this.log(line)
    return details
  }
}
