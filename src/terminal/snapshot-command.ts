// Owns what the commands about snapshots have in common: the workspace that is meant, and the number of a snapshot.
import { Args } from '@oclif/core'
import { snapshotPlace } from '../agents/snapshot-place.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import type { SnapshotStore } from '../snapshots/store.js'
import { MoatCommand } from './moat-command.js'

export const targetArg = Args.string({
  description: 'Name or run id of an agent, which may have ended, or a directory; default: this directory',
})
export const targetCompletion: CommandCompletion = { target: 'agents' }

export abstract class SnapshotCommand extends MoatCommand {
  #engine: Promise<Engine> | undefined

  /** Where the snapshots of an agent or directory are. With `there`, the directory must be there. */
  protected snapshotStore(target: string | undefined, { there = false } = {}): Promise<SnapshotStore> {
    return snapshotPlace(target, { engine: () => this.snapshotEngine(), paths: this.paths, there })
  }

  protected snapshotEngine(): Promise<Engine> {
    this.#engine ??= this.connectEngine({ note: false })
    return this.#engine
  }

  /** A number, for a text that is one. */
  protected snapshotId(text: string | undefined): number | undefined {
    if (text === undefined) return undefined
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
    throw new MoatError('USAGE', `${JSON.stringify(text)} is not the number of a snapshot.`, {
      exit: exitCodes.usage,
      suggestions: ['moat snapshot list'],
    })
  }
}
