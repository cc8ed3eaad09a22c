import { listWorktreeRuns, type WorktreeView } from '../../agents/list-worktrees.js'
import { formatWorktrees } from '../../terminal/format-worktrees.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { openRepository } from '../../worktrees/repository.js'

export default class WorktreeList extends MoatCommand {
  static override description = "List the repository's worktrees and what runs in them"
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> wt list', '<%= config.bin %> wt list --json']

  async run(): Promise<{ worktrees: WorktreeView[] }> {
    await this.parse(WorktreeList)
    const { commonDir } = await openRepository(process.cwd())
    const worktrees = await listWorktreeRuns(await this.connectEngine(), commonDir)
    if (worktrees.length > 0) this.log(formatWorktrees(worktrees))
    else this.logToStderr('No worktrees. Make one with: moat wt <branch>')
    return { worktrees }
  }
}
