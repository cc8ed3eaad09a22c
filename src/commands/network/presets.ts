import { type NetworkPreset, networkPresets } from '../../egress/presets.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { formatTable, terminalColumns, wrapWords } from '../../terminal/table.js'

export default class NetworkPresets extends MoatCommand {
  static override description = 'List the presets that rules may name, with their hosts'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> network presets', '<%= config.bin %> network presets --json']

  async run(): Promise<{ presets: NetworkPreset[] }> {
    await this.parse(NetworkPresets)
    const presets = [...networkPresets().values()]
    const left = Math.max(...presets.flatMap(({ for: purpose, name }) => [name.length + purpose.length])) + 4
    const width = Math.max(40, (terminalColumns() ?? Number.POSITIVE_INFINITY) - left)
    const rows = presets.map(({ for: purpose, hosts, name }) => [name, purpose, wrapWords(hosts, width, ', ')])
    this.log(formatTable([['PRESET', 'FOR', 'HOSTS'], ...rows]))
    return { presets }
  }
}
