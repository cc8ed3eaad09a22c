import { Args } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { missingGrant, namedGrant } from '../../grants/find-grant.js'
import { chooseProfile } from '../../grants/profile.js'
import { removeGrant } from '../../grants/store.js'
import { isSshGrant } from '../../routing/grant-name.js'
import { syncRoutes } from '../../supervisor/control-client.js'
import { profileFlag } from '../../terminal/grant-flags.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Revoke extends MoatCommand {
  static override args = { name: Args.string({ description: 'Name of the grant', required: true }) }
  static override completion: CommandCompletion = { name: 'grants' }
  static override description = 'Forget a credential; running agents lose it with their next request'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> grant revoke github']
  static override flags = profileFlag

  async run(): Promise<{ name: string; profile: string; revoked: true }> {
    const { args, flags } = await this.parse(Revoke)
    const name = namedGrant(args.name, chooseProfile(flags.profile))
    if (!(await removeGrant(this.paths.grants, name))) throw await missingGrant(this.paths.grants, name)
    await syncRoutes(this.paths.controlSocket)
    this.log(
      isSshGrant(args.name)
        ? `${args.name} is revoked. The key itself is as it was: at the host it is still accepted.`
        : `${args.name} is revoked. At the service the credential still exists: delete it there, if nobody is to have it.`,
    )
    return { ...name, revoked: true }
  }
}
