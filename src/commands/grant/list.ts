import { type GrantView, viewGrant } from '../../grants/grant.js'
import { listGrants } from '../../grants/store.js'
import { formatGrants } from '../../terminal/format-grants.js'
import { allProfilesFlag, chosenProfile } from '../../terminal/grant-flags.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { tellBroken } from '../../terminal/tell-broken.js'

export default class List extends MoatCommand {
  static override description = 'List grants'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> grant list', '<%= config.bin %> grant list --profile work']
  static override flags = allProfilesFlag

  async run(): Promise<{ grants: GrantView[] }> {
    const { flags } = await this.parse(List)
    const { broken, grants } = await listGrants(this.paths.grants, chosenProfile(flags))
    const views = grants.map(viewGrant)
    if (views.length > 0) this.log(formatGrants(views))
    else if (broken.length === 0) this.logToStderr('There are no grants. moat grant providers shows what there may be.')
    tellBroken(broken, (line) => this.logToStderr(line))
    return { grants: views }
  }
}
