import { Flags } from '@oclif/core'
import { retentionOf } from '../../agents/remember-workspace.js'
import { loadSettings } from '../../config/settings.js'
import { visible } from '../../config/visible.js'
import { exitCodes, MoatError } from '../../errors.js'
import { mostRetained } from '../../snapshots/retention.js'
import { pruneSnapshots } from '../../snapshots/snapshots.js'
import { countOf } from '../../terminal/format-snapshots.js'
import { SnapshotCommand, targetArg, targetCompletion } from '../../terminal/snapshot-command.js'

export default class SnapshotPrune extends SnapshotCommand {
  static override args = { target: targetArg }
  static override completion = targetCompletion
  static override description = 'Drop the earliest snapshots of a workspace, and free the room they take'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> snapshot prune', '<%= config.bin %> snapshot prune dark-mode --keep 5']
  static override flags = {
    all: Flags.boolean({ description: 'Drop all of them', exclusive: ['keep'] }),
    keep: Flags.integer({
      description: 'How many to keep; default: snapshots.retention in config.yaml, or 30',
      min: 1,
    }),
  }

  async run(): Promise<{ dropped: number[]; kept: number; workspace: string }> {
    const { args, flags } = await this.parse(SnapshotPrune)
    if (flags.keep !== undefined && flags.keep > mostRetained) {
      throw new MoatError('USAGE', `--keep must be at most ${mostRetained}.`, { exit: exitCodes.usage })
    }
    const store = await this.snapshotStore(args.target)
    const { retention } = (await loadSettings(this.paths.configFile)).snapshots
    const keep = flags.all ? 0 : (flags.keep ?? retentionOf(retention, undefined))
    const dropped = (await pruneSnapshots(store, keep)).map(({ id }) => id)
    const kept = (await store.list()).length
    this.log(`Dropped ${countOf(dropped.length, 'snapshot')} of ${visible(store.workspace)}; ${kept} are left.`)
    return { dropped, kept, workspace: store.workspace }
  }
}
