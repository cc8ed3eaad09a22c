import { formatVolumes } from '../../terminal/format-volumes.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { type VolumeView, viewVolumes } from '../../volumes/find-volumes.js'

export default class VolumesList extends MoatCommand {
  static override aliases = ['volumes:ls']
  static override description = 'List the volumes that agents keep from run to run'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> volumes list', '<%= config.bin %> volumes list --json']

  async run(): Promise<{ volumes: VolumeView[] }> {
    await this.parse(VolumesList)
    const volumes = await viewVolumes(await this.connectEngine())
    if (volumes.length > 0) this.log(formatVolumes(volumes))
    else this.logToStderr('There are no volumes. An agent gets one by "volumes" in moat.yaml.')
    return { volumes }
  }
}
