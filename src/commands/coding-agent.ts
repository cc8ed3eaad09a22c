import { Args } from '@oclif/core'
import type { CommandCompletion } from '../completion/completion-source.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { programFlags, toStart, withResumeValue } from '../terminal/program-flags.js'
import { programSession } from '../terminal/program-session.js'
import type { RunOutcome } from '../terminal/run-session.js'
import { splitCommand } from '../terminal/split-command.js'

/** What the command of every coding agent is made of; by itself it is none. See docs/decisions/0042. */
export default class CodingAgent extends MoatCommand {
  static override args = {
    path: Args.string({
      default: '.',
      description: 'Directory of the project; it becomes /workspace in the container',
    }),
  }
  static override completion: CommandCompletion = {
    '--grant': 'grants',
    '--mount': 'files',
    '--name': 'ended-agents',
    '--worktree': 'branches',
    path: 'directories',
  }
  static override description = 'Run a coding agent in a container'
  static override enableJsonFlag = true
  static override flags = programFlags
  static override hidden = true

  async run(): Promise<RunOutcome> {
    const { argv, command: words } = splitCommand(this.argv)
    const { args, flags } = await this.parse(CodingAgent, withResumeValue(argv))
    const program = await this.agentProgram()
    const outcome = await programSession({
      branch: flags.worktree,
      connect: () => this.connectEngine({ note: false }),
      flags,
      grantProviders: () => this.grantProviders(),
      imports: flags.import,
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      login: flags.login,
      path: args.path,
      plugins: this.plugins,
      program,
      proxy: await this.proxyOptions(),
      start: toStart(flags, words, program.name),
      tellGone: this.tellGone(),
    })
    process.exitCode = outcome.exitCode ?? 0
    return outcome
  }
}
