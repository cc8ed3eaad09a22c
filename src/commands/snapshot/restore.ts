import { Args, Flags } from '@oclif/core'
import type { Engine } from '../../engine/engine.js'
import { MoatError } from '../../errors.js'
import { chosenSnapshot } from '../../snapshots/snapshots.js'
import { type RestoreOutcome, restoreSession } from '../../terminal/restore-session.js'
import { SnapshotCommand, targetArg, targetCompletion } from '../../terminal/snapshot-command.js'

export default class SnapshotRestore extends SnapshotCommand {
  static override args = {
    target: targetArg,
    snapshot: Args.string({ description: 'Number of the snapshot; default: the latest' }),
  }
  static override completion = targetCompletion
  static override description = `Make a workspace what it was in a snapshot
Agents that work there are paused meanwhile. What git ignores stays as it is, and so does git's own directory. There is a
snapshot of how it was before, so a restore can be undone.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> snapshot restore dark-mode',
    '<%= config.bin %> snapshot restore . 3 --yes',
  ]
  static override flags = { yes: Flags.boolean({ char: 'y', description: 'Do not ask' }) }

  async run(): Promise<RestoreOutcome> {
    const { args, flags } = await this.parse(SnapshotRestore)
    const id = this.snapshotId(args.snapshot)
    const store = await this.snapshotStore(args.target, { there: true })
    return restoreSession({
      ask: !this.jsonEnabled(),
      engine: await this.#engineIfAny(),
      log: (line) => this.log(line),
      note: (line) => this.logToStderr(line),
      paths: this.paths,
      snapshot: await chosenSnapshot(store, id),
      store,
      yes: flags.yes,
    })
  }

  /** Without an engine no agent is at work. */
  async #engineIfAny(): Promise<Engine | undefined> {
    try {
      return await this.snapshotEngine()
    } catch (error) {
      if (!(error instanceof MoatError) || error.code !== 'ENGINE_UNREACHABLE') throw error
      this.logToStderr('Note: no container engine answers, so no agent is paused.')
      return undefined
    }
  }
}
