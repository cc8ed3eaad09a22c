import { Args, Flags } from '@oclif/core'
import { type CleanedWorktrees, cleanWorktrees } from '../../agents/clean-worktrees.js'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { formatCleaned } from '../../terminal/format-worktrees.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { meantBranch } from '../../worktrees/prepare-worktree.js'
import { openRepository } from '../../worktrees/repository.js'

export default class WorktreeClean extends MoatCommand {
  static override args = {
    branch: Args.string({
      description: "Only this branch's worktree; default: all that moat made for this repository",
    }),
  }
  static override completion: CommandCompletion = { branch: 'branches' }
  static override description = `Remove worktrees of stopped runs; branches stay
Worktrees with uncommitted or unpushed work are kept. Files that git ignores go with the worktree.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> wt clean', '<%= config.bin %> wt clean feature/auth --force']
  static override flags = {
    force: Flags.boolean({ char: 'f', description: 'Remove uncommitted and unpushed work too' }),
  }

  async run(): Promise<CleanedWorktrees> {
    const { args, flags } = await this.parse(WorktreeClean)
    const repository = await openRepository(process.cwd())
    const cleaned = await cleanWorktrees({
      commonDir: repository.commonDir,
      engine: await this.connectEngine(),
      force: flags.force,
      paths: this.paths,
      ...(args.branch !== undefined && { branch: await meantBranch(repository, args.branch) }),
    })
    formatCleaned(cleaned).forEach((line) => {
      this.log(line)
    })
    return cleaned
  }
}
