import { Flags } from '@oclif/core'
import { describeVolume } from '../../terminal/format-volumes.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { removeVolumesSession } from '../../terminal/remove-volumes-session.js'
import { unneeded, type VolumeView, viewVolumes } from '../../volumes/find-volumes.js'

export default class VolumesPrune extends MoatCommand {
  static override description = `Remove volumes whose workspaces are gone
With --all, every volume that no container has: those of workspaces in which no agent runs just now too.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> volumes prune', '<%= config.bin %> volumes prune --all --dry-run']
  static override flags = {
    all: Flags.boolean({ char: 'a', description: 'Those of workspaces that are still there too' }),
    'dry-run': Flags.boolean({ description: 'Only show what would be removed' }),
    force: Flags.boolean({ char: 'f', description: 'Do not ask' }),
  }

  async run(): Promise<{ removed: VolumeView[]; volumes: VolumeView[] }> {
    const { flags } = await this.parse(VolumesPrune)
    const engine = await this.connectEngine()
    const volumes = unneeded(await viewVolumes(engine), flags.all)
    if (volumes.length === 0) this.log('Nothing to remove.')
    if (flags['dry-run']) for (const volume of volumes) this.log(describeVolume(volume))
    if (flags['dry-run'] || volumes.length === 0) return { removed: [], volumes }
    const removed = await removeVolumesSession(engine, volumes, {
      command: `moat volumes prune${flags.all ? ' --all' : ''} --force`,
      force: flags.force,
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
    })
    return { removed, volumes }
  }
}
