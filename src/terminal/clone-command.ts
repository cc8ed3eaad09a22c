// Owns what commands about clones have in common: the clone that is meant, and the work in it, which Ctrl+C ends.
import { assertRepository, type CloneWork, type FoundClone, findClone } from '../agents/find-clone.js'
import { hostUser } from '../config/invoking-user.js'
import { openRepository, type Repository } from '../worktrees/repository.js'
import { Interrupts } from './interrupts.js'
import { MoatCommand } from './moat-command.js'
import { terminalProgress } from './progress.js'

export interface CloneHere {
  clone: FoundClone
  /** The repository that the command was called in, if any. */
  here: Repository | undefined
  work: CloneWork
}

export abstract class CloneCommand extends MoatCommand {
  protected async withClone<T>(reference: string, action: (found: CloneHere) => Promise<T>): Promise<T> {
    const interrupts = new Interrupts()
    try {
      const work = await this.cloneWork(interrupts.signal)
      const here = await openRepository(process.cwd()).catch(() => undefined)
      const clone = await findClone(work, reference, here?.commonDir)
      await assertRepository(clone)
      if (here?.commonDir !== clone.commonDir) this.logToStderr(`The clone of ${clone.agent} is of ${clone.commonDir}.`)
      return await action({ clone, here, work })
    } finally {
      interrupts.release()
    }
  }

  protected async cloneWork(signal: AbortSignal): Promise<CloneWork> {
    const engine = await this.connectEngine()
    return { engine, paths: this.paths, progress: terminalProgress(), signal, user: hostUser() }
  }
}
