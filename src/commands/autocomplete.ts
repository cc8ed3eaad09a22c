import { fileURLToPath } from 'node:url'
import { Args } from '@oclif/core'
import { shellOf, shellScript, shells } from '../completion/shell-script.js'
import { exitCodes, MoatError } from '../errors.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Autocomplete extends MoatCommand {
  static override args = {
    shell: Args.string({ description: 'Default: the shell of $SHELL', options: shells }),
  }
  static override description = `Print the script that lets TAB complete moat's commands
Commands, flags, names of agents, run ids, endpoints and paths are completed, and commands of plugins. To have it in every
new shell, add the line in the example to ~/.bashrc or ~/.zshrc.`
  static override examples = [
    { command: 'eval "$(<%= config.bin %> autocomplete bash)"', description: 'In ~/.bashrc:' },
    { command: 'eval "$(<%= config.bin %> autocomplete zsh)"', description: 'In ~/.zshrc:' },
  ]

  async run(): Promise<void> {
    const { args } = await this.parse(Autocomplete)
    const shell = shells.find((name) => name === args.shell) ?? shellOf(process.env.SHELL)
    if (!shell) {
      throw new MoatError('USAGE', 'Name a shell: there is completion for bash and zsh.', {
        exit: exitCodes.usage,
        suggestions: shells.map((name) => `moat autocomplete ${name}`),
      })
    }
    const file = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
    this.log((await shellScript(shell, { file, node: process.execPath })).trimEnd())
    if (process.stdout.isTTY) {
      this.logToStderr(`\nThat is the script. To use it in every new ${shell}, add this line to ~/.${shell}rc:`)
      this.logToStderr(`\n  eval "$(moat autocomplete ${shell})"`)
    }
  }
}
