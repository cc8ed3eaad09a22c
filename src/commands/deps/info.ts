import { Args } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { describeTool, type ToolDetails } from '../../images/describe-tools.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { formatTable } from '../../terminal/table.js'

export default class DepsInfo extends MoatCommand {
  static override args = { name: Args.string({ description: 'A name from moat deps list', required: true }) }
  static override completion: CommandCompletion = { name: 'dependencies' }
  static override description = 'Show how a dependency is installed'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> deps info node', '<%= config.bin %> deps info claude-code --json']

  async run(): Promise<ToolDetails> {
    const { args } = await this.parse(DepsInfo)
    const tool = describeTool(args.name)
    this.log(
      formatTable([
        ['Name:', tool.name],
        ['For:', tool.for],
        ['Kind:', tool.kind],
        ['Comes from:', tool.installs.join(', ')],
        ['Default version:', tool.defaultVersion ?? "Debian's"],
        ...(tool.needs === null ? [] : [['Needs:', `${tool.needs}, added unless it is a dependency too`]]),
        ['In moat.yaml:', tool.examples.map((example) => `dependencies: [${example}]`).join(' or ')],
      ]),
    )
    return tool
  }
}
