// Owns how help differs from oclif's: no sentence twice, and a hint for a mistyped command.
import type { Command } from '@oclif/core/command'
import { CommandHelp, Help } from '@oclif/core/help'
import { isOclifError } from '../errors.js'
import { unknownCommand } from './unknown-command.js'

class MoatCommandHelp extends CommandHelp {
  /** Without its first line when that is the summary, which stands above it. */
  protected override description(): string | undefined {
    const { description = '', summary } = this.command
    const text = summary === undefined ? description.split('\n').slice(1).join('\n') : description
    // Lines of the source are longer than those of a terminal: only an empty one begins a paragraph.
    const paragraphs = text.trim().replaceAll(/(?<!\n)\n(?!\n)/g, ' ')
    return paragraphs === '' ? undefined : this.wrap(paragraphs)
  }
}

/** Of oclif's own commands, which have a text too few or one too general. */
const summaries: Record<string, string> = {
  help: 'Show help for a command, or for all of moat',
  plugins: 'List installed plugins',
  version: 'Show the version of moat',
}

export default class MoatHelp extends Help {
  protected override CommandHelpClass = MoatCommandHelp

  protected override summary(command: Command.Loadable): string | undefined {
    return summaries[command.id] ?? super.summary(command)
  }

  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv)
    } catch (error) {
      const [, id] = (isOclifError(error) && /^Command (\S+) not found\.$/.exec(error.message)) || []
      throw id === undefined ? error : unknownCommand(id, this.config)
    }
  }
}
