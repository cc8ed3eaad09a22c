import { Args, Flags } from '@oclif/core'
import type { CommandCompletion } from '../completion/completion-source.js'
import { loadSettings } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import { directorySession } from '../terminal/directory-session.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { runFlags, toRunRequest } from '../terminal/run-flags.js'
import type { RunOutcome } from '../terminal/run-session.js'
import { splitCommand } from '../terminal/split-command.js'

export default class Run extends MoatCommand {
  static override args = {
    path: Args.string({
      default: '.',
      description: 'Directory with a moat.yaml; it becomes /workspace in the container',
    }),
  }
  static override completion: CommandCompletion = {
    '--grant': 'grants',
    '--mount': 'files',
    '--name': 'ended-agents',
    '--worktree': 'branches',
    path: 'directories',
  }
  static override description = 'Run an agent in a container and give its ports URLs'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> run --name dark-mode ./my-app',
    '<%= config.bin %> run -d ./my-app',
    '<%= config.bin %> run ./my-app -- npm test',
    '<%= config.bin %> run -i ./my-app -- bash',
  ]
  static override flags = {
    ...runFlags,
    worktree: Flags.string({
      description: 'Run in the git worktree of this branch, as moat wt does',
      helpValue: '<branch>',
    }),
  }
  static override usage =
    'run [PATH] [-n <name>] [-d | -i] [-e KEY=value]... [--mount <mount>]... [--allow <rule>]... [--worktree <branch>] [-- COMMAND...]'

  async run(): Promise<RunOutcome> {
    const { argv, command } = splitCommand(this.argv)
    const { args, flags } = await this.parse(Run, argv)
    const proxy = await this.proxyOptions()
    const { network } = await loadSettings(this.paths.configFile)
    const word = shellQuote(args.path)
    const session = {
      approveCommands: [`moat approve ${word}`, `moat run --yes ${word}`],
      flags,
      grantProviders: () => this.grantProviders(),
      json: this.jsonEnabled(),
      log: (line: string) => this.log(line),
      plugins: this.plugins,
      proxy,
      tellGone: this.tellGone(),
    }
    const connect = () => this.connectEngine({ note: false })
    const { worktree } = flags
    const inWorktree = async (branch: string) => {
      const { worktreeSession } = await import('../terminal/worktree-session.js')
      return worktreeSession({ ...session, branch, command, engine: await connect(), path: args.path })
    }
    const outcome =
      worktree === undefined
        ? await directorySession(toRunRequest(flags, args.path, command, network.policy), { ...session, connect })
        : await inWorktree(worktree)
    process.exitCode = outcome.exitCode ?? 0
    return outcome
  }
}
