import { Args, Flags } from '@oclif/core'
import { inClone } from '../agents/find-clone.js'
import { branchToPush } from '../clones/branch-to-push.js'
import { type PushedBranch, pushClone } from '../clones/push-clone.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { CloneCommand } from '../terminal/clone-command.js'
import { formatPushed } from '../terminal/format-clones.js'

export default class Push extends CloneCommand {
  static override args = {
    agent: Args.string({ description: 'Name of an agent that works, or has worked, in a clone', required: true }),
    branch: Args.string({ description: 'Branch of your repository; default: the one that is checked out' }),
  }
  static override completion: CommandCompletion = { agent: 'clones', branch: 'branches' }
  static override description = `Bring a branch of yours into an agent's clone
If it is checked out there, its files change too, but never over what is not committed.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> push dark-mode', '<%= config.bin %> push dark-mode main --force']
  static override flags = {
    force: Flags.boolean({
      char: 'f',
      description: 'Also where the branch there has commits that yours does not have',
    }),
  }

  async run(): Promise<PushedBranch & { agent: string; repository: string }> {
    const { args, flags } = await this.parse(Push)
    return this.withClone(args.agent, async ({ clone, here, work }) => {
      const { agent, commonDir } = clone
      const branch = await branchToPush(commonDir, here?.commonDir === commonDir ? here.place : undefined, args.branch)
      const request = { agent, branch, commonDir, force: flags.force }
      const pushed = await inClone(clone, work, (git) => pushClone(git, request), { writes: true })
      for (const line of formatPushed(agent, pushed)) this.log(line)
      return { ...pushed, agent, repository: commonDir }
    })
  }
}
