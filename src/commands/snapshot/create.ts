import { retentionOf } from '../../agents/remember-workspace.js'
import { loadSettings } from '../../config/settings.js'
import { visible } from '../../config/visible.js'
import { onDemand } from '../../snapshots/limits.js'
import { leftPaths, takeSnapshot } from '../../snapshots/snapshots.js'
import { countOf, formatReasons, type SnapshotView, snapshotView } from '../../terminal/format-snapshots.js'
import { terminalProgress } from '../../terminal/progress.js'
import { SnapshotCommand, targetArg, targetCompletion } from '../../terminal/snapshot-command.js'

export default class SnapshotCreate extends SnapshotCommand {
  static override args = { target: targetArg }
  static override completion = targetCompletion
  static override description = `Take a snapshot of a workspace as it is now
It has all files that git does not ignore. Nothing of git is changed.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> snapshot create', '<%= config.bin %> snapshot create dark-mode']

  async run(): Promise<SnapshotView & { leftAlone: { path: string; why: string }[] }> {
    const { args } = await this.parse(SnapshotCreate)
    const store = await this.snapshotStore(args.target, { there: true })
    const { retention } = (await loadSettings(this.paths.configFile)).snapshots
    const { scanned, snapshot } = await terminalProgress().step('Taking a snapshot', () =>
      takeSnapshot(store, {
        limits: onDemand,
        onWait: () => this.logToStderr('Waiting for another moat that takes a snapshot here.'),
        reason: 'demand',
        retention: retentionOf(retention, undefined),
      }),
    )
    const leftAlone = leftPaths(scanned)
    this.log(`Snapshot ${snapshot.id} of ${visible(store.workspace)}: ${countOf(snapshot.files, 'file')}.`)
    if (leftAlone.length > 0) this.logToStderr('Not in it, and never touched:')
    for (const line of formatReasons(leftAlone)) this.logToStderr(line)
    return { ...snapshotView(snapshot), leftAlone }
  }
}
