import { Flags } from '@oclif/core'
import { formatVolumes } from '../../terminal/format-volumes.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { type VolumeView, viewVolumes } from '../../volumes/find-volumes.js'

export default class VolumesList extends MoatCommand {
  static override aliases = ['volumes:ls']
  static override description = 'List the volumes that agents keep from run to run'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> volumes list',
    '<%= config.bin %> volumes list --size',
    '<%= config.bin %> volumes list --json',
  ]

  static override flags = {
    size: Flags.boolean({
      char: 's',
      description: 'With their sizes, for which the engine looks through all their files',
    }),
  }

  async run(): Promise<{ volumes: VolumeView[] }> {
    const { flags } = await this.parse(VolumesList)
    const volumes = await viewVolumes(await this.connectEngine(), { sizes: flags.size })
    if (volumes.length > 0) this.log(formatVolumes(volumes, { sizes: flags.size }))
    else this.logToStderr('There are no volumes. An agent gets one by "volumes" in moat.yaml.')
    return { volumes }
  }
}
