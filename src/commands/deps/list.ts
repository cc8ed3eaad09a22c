import { listTools, type ToolSummary } from '../../images/describe-tools.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { formatTable } from '../../terminal/table.js'

export default class DepsList extends MoatCommand {
  static override description = 'List what moat.yaml may depend on by name'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> deps list', '<%= config.bin %> deps list --json']

  async run(): Promise<{ dependencies: ToolSummary[] }> {
    await this.parse(DepsList)
    const dependencies = listTools()
    const rows = dependencies.map((tool) => [tool.name, tool.kind, tool.defaultVersion ?? '-', tool.for])
    this.log(formatTable([['NAME', 'KIND', 'DEFAULT VERSION', 'FOR'], ...rows]))
    this.logToStderr('\nAny other package: apt:<name>, npm:<name>@<version>, pip:…, go:<module>@v…, cargo:…')
    return { dependencies }
  }
}
