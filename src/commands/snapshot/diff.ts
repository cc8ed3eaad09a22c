import { Args } from '@oclif/core'
import { visible } from '../../config/visible.js'
import { previewRestore } from '../../snapshots/restore.js'
import { chosenSnapshot, treeOf } from '../../snapshots/snapshots.js'
import { changesBetween } from '../../snapshots/tree.js'
import { type ChangeView, changeViews, formatChanges } from '../../terminal/format-snapshots.js'
import { SnapshotCommand, targetArg, targetCompletion } from '../../terminal/snapshot-command.js'

export default class SnapshotDiff extends SnapshotCommand {
  static override args = {
    target: targetArg,
    snapshot: Args.string({ description: 'Number of a snapshot; default: the latest' }),
    other: Args.string({ description: 'Number of another one; default: the workspace as it is now' }),
  }
  static override completion = targetCompletion
  static override description = 'Show what has changed since a snapshot, or between two'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> snapshot diff', '<%= config.bin %> snapshot diff dark-mode 3 5']

  async run(): Promise<{ changes: ChangeView[]; from: number; to?: number; workspace: string }> {
    const { args } = await this.parse(SnapshotDiff)
    const ids = [args.snapshot, args.other].map((text) => this.snapshotId(text))
    const store = await this.snapshotStore(args.target)
    const from = await chosenSnapshot(store, ids[0])
    const to = ids[1] === undefined ? undefined : await chosenSnapshot(store, ids[1])
    const changes = changeViews(
      to
        ? changesBetween(await treeOf(store, from), await treeOf(store, to))
        : await previewRestore(store, from).then(({ now, target }) => changesBetween(target, now)),
    )
    for (const line of formatChanges(changes, Number.POSITIVE_INFINITY)) this.log(line.trimStart())
    const until = to ? `snapshot ${to.id}` : visible(store.workspace)
    if (changes.length === 0) this.logToStderr(`Nothing has changed between snapshot ${from.id} and ${until}.`)
    return { changes, from: from.id, ...(to && { to: to.id }), workspace: store.workspace }
  }
}
