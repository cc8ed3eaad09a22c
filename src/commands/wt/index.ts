import { Args, Flags } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { runFlags } from '../../terminal/run-flags.js'
import type { RunOutcome } from '../../terminal/run-session.js'
import { splitCommand } from '../../terminal/split-command.js'
import { worktreeSession } from '../../terminal/worktree-session.js'

export default class Worktree extends MoatCommand {
  static override args = {
    branch: Args.string({ description: 'Name of the branch; a new one begins at HEAD', required: true }),
  }
  static override completion: CommandCompletion = { '--grant': 'grants', branch: 'branches' }
  static override description = `Run an agent on a branch, in a git worktree of its own
For a branch called list or clean: moat run --worktree list`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> wt feature/auth',
    '<%= config.bin %> wt -d fix-login',
    '<%= config.bin %> wt fix-login -- npm test',
    '<%= config.bin %> wt fix-login --include .env',
  ]
  static override flags = {
    ...runFlags,
    include: Flags.string({
      description: 'Bring along files that git ignores, as .worktreeinclude does; a pattern as in .gitignore',
      helpValue: '<pattern>',
      multiple: true,
      multipleNonGreedy: true,
    }),
  }
  static override usage =
    'wt BRANCH [-n <name>] [-d | -i] [-e KEY=value]... [--mount <mount>]... [--allow <rule>]... [--include <pattern>]... [-- COMMAND...]'

  async run(): Promise<RunOutcome> {
    const { argv, command } = splitCommand(this.argv)
    const { args, flags } = await this.parse(Worktree, argv)
    const outcome = await worktreeSession({
      branch: args.branch,
      command,
      engine: await this.connectEngine(),
      flags,
      include: flags.include,
      grantProviders: () => this.grantProviders(),
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      plugins: this.plugins,
      proxy: await this.proxyOptions(),
      tellGone: this.tellGone(),
    })
    process.exitCode = outcome.exitCode ?? 0
    return outcome
  }
}
