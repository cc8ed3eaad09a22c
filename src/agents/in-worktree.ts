// Owns a start in the worktree of a branch: one at a time, none beside an active run, and nothing left of one that fails.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { readWorkspaceText } from '../config/read-config.js'
import type { Engine } from '../engine/engine.js'
import { MoatError } from '../errors.js'
import { type FileLock, takeFileLock, waitForFileLock } from '../processes/file-lock.js'
import { isLive } from '../routing/agent.js'
import { type PreparedWorktree, prepareWorktree, realPlace, worktreePath } from '../worktrees/prepare-worktree.js'
import type { Repository } from '../worktrees/repository.js'
import { agentsIn } from './list-worktrees.js'

export interface WorktreeStart {
  branch: string
  engine: Engine
  /** Patterns for ignored files that are to come along. */
  include?: readonly string[]
  note: (line: string) => void
  paths: MoatPaths
  repository: Repository
  signal: AbortSignal
}

/**
 * Runs `action` with the branch's worktree. Until it calls `started`, no other moat starts or cleans there, and whatever
 * fails takes back a worktree and a branch that were made for it.
 */
export async function inWorktree<T>(
  { branch, engine, include, note, paths, repository, signal }: WorktreeStart,
  action: (worktree: PreparedWorktree, started: () => Promise<void>) => Promise<T>,
): Promise<T> {
  // The real path, as git lists it: whoever cleans takes the same lock.
  const place = await realPlace(worktreePath(paths.worktrees, repository, branch))
  const lock = await lockWorktree(paths, place, () => note(`Waiting for another moat that starts branch ${branch}.`))
  try {
    const worktree = await prepareWorktree(repository, paths.worktrees, branch, include)
    let running = false
    try {
      signal.throwIfAborted()
      await assertNoRun(engine, worktree)
      return await action(worktree, async () => {
        running = true
        await lock.release()
      })
    } catch (error) {
      if (!running) await worktree.rollBack()
      throw error
    }
  } finally {
    await lock.release()
  }
}

/** Takes the lock of a worktree; `onWait` is called if another process holds it. */
async function lockWorktree(paths: MoatPaths, path: string, onWait: () => void): Promise<FileLock> {
  const file = worktreeLock(paths, path)
  const lock = await takeFileLock(file)
  if (lock) return lock
  onWait()
  return waitForFileLock(file)
}

/** The lock held while a run starts in a worktree, or it is removed. */
export function worktreeLock({ home }: MoatPaths, path: string): string {
  return join(home, 'git', `${createHash('sha256').update(path).digest('hex').slice(0, 16)}.lock`)
}

/** Where the moat.yaml of a run is: the worktree's own copy wins over that of the checkout it was asked for from. */
export async function configDirectory(worktree: string, checkout: string): Promise<string> {
  const [own, other] = await Promise.all([readText(worktree), readText(checkout)])
  // The same text is read from where it stays: a new worktree is gone again after an error in it.
  return own === undefined || own === other ? checkout : worktree
}

async function readText(directory: string): Promise<string | undefined> {
  const file = join(directory, 'moat.yaml')
  // Whoever loads it says what is wrong with it.
  return readWorkspaceText(file, file).catch(() => '')
}

async function assertNoRun(engine: Engine, { branch, path }: PreparedWorktree): Promise<void> {
  const { agents } = await engine.listAgents()
  const active = agentsIn(path, agents).find(isLive)
  if (!active) return
  const { name, runId } = active
  throw new MoatError('NAME_IN_USE', `Branch ${branch} has an active run, ${name} (${runId}).`, {
    suggestions: [`moat logs -f ${name}`, `moat stop ${name}`],
  })
}
