import { visible } from '../../config/visible.js'
import { formatSnapshots, type SnapshotView, snapshotView } from '../../terminal/format-snapshots.js'
import { SnapshotCommand, targetArg, targetCompletion } from '../../terminal/snapshot-command.js'

export default class SnapshotList extends SnapshotCommand {
  static override args = { target: targetArg }
  static override completion = targetCompletion
  static override description = 'List the snapshots of a workspace, the latest first'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> snapshot list', '<%= config.bin %> snapshot list dark-mode --json']

  async run(): Promise<{ snapshots: SnapshotView[]; workspace: string }> {
    const { args } = await this.parse(SnapshotList)
    const store = await this.snapshotStore(args.target)
    const snapshots = await store.list()
    if (snapshots.length > 0) this.log(formatSnapshots(snapshots))
    else this.logToStderr(`There are no snapshots of ${visible(store.workspace)}.`)
    return { snapshots: snapshots.toReversed().map(snapshotView), workspace: store.workspace }
  }
}
