import { Args, Flags } from '@oclif/core'
import { runningAgent } from '../agents/find-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { exitCodes, MoatError } from '../errors.js'
import { type ExecResult, execSession } from '../terminal/exec-session.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { splitCommand } from '../terminal/split-command.js'

export default class Exec extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents' }
  static override description = `Run a command in the container of a running agent
stdin is passed through and the exit code is the command's. On a terminal the command gets one too, unless --json asks for its output as text.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> exec dark-mode -- npm test', '<%= config.bin %> exec dark-mode -- sh']
  /** Docker's, which say what moat does anyway. */
  static override flags = {
    interactive: Flags.boolean({
      char: 'i',
      description: 'Has no effect: stdin is always passed through',
      hidden: true,
    }),
    tty: Flags.boolean({
      char: 't',
      description: 'Has no effect: the command gets a terminal when moat has one',
      hidden: true,
    }),
  }
  static override usage = 'exec AGENT -- COMMAND...'

  async run(): Promise<ExecResult | undefined> {
    const { argv, command } = splitCommand(this.argv)
    const { args } = await this.parse(Exec, argv)
    if (!command) {
      const suggestions = [`moat exec ${args.agent} -- sh`]
      throw new MoatError('USAGE', 'Name the command to run, after --.', { exit: exitCodes.usage, suggestions })
    }
    const json = this.jsonEnabled()
    const engine = await this.connectEngine()
    const { containerId } = runningAgent((await engine.listAgents()).agents, args.agent)
    const tty = !json && Boolean(process.stdin.isTTY && process.stdout.isTTY)
    const session = await engine.sessions.exec(containerId, { command, tty })
    const { exitCode, stderr, stdout } = await execSession(session, {
      json,
      note: (line) => process.stderr.write(`${line}\n`),
      tty,
    })
    process.exitCode = exitCode
    return stdout === undefined || stderr === undefined ? undefined : { exitCode, stderr, stdout }
  }
}
