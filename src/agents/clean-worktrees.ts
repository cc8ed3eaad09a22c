// Owns removing worktrees that nothing needs any more. Branches always stay.
import { access, realpath, rm } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import { takeFileLock } from '../processes/file-lock.js'
import { hasEnded } from '../routing/agent.js'
import { viewDirectory } from '../worktrees/container-view.js'
import { findCheckout, type LinkedCheckout } from '../worktrees/find-checkout.js'
import { git } from '../worktrees/git.js'
import { repositoryAt } from '../worktrees/git-place.js'
import { removeEmptyParents } from '../worktrees/prepare-worktree.js'
import { listWorktrees, type WorktreeEntry } from '../worktrees/repository.js'
import { isLocked, unsavedWork } from '../worktrees/unsaved-work.js'
import { worktreeLock } from './in-worktree.js'
import { agentsIn } from './list-worktrees.js'

export interface CleanedWorktrees {
  kept: { branch: string | null; reason: string; worktree: string }[]
  removed: { branch: string | null; worktree: string }[]
}

export interface CleanOptions {
  /** Only this one's; what speaks against it is an error then. */
  branch?: string
  commonDir: string
  engine: Engine
  /** Remove uncommitted and unpushed work too. */
  force: boolean
  paths: MoatPaths
}

interface Obstacle {
  /** The end of a sentence that begins with the branch. */
  reason: string
  suggestions: string[]
}

/** Removes the worktrees moat made, or that of one branch, unless they are in use, locked, or hold work. */
export async function cleanWorktrees(options: CleanOptions): Promise<CleanedWorktrees> {
  const { branch, commonDir, paths } = options
  const base = await realpath(paths.worktrees).catch(() => paths.worktrees)
  const linked = (await listWorktrees(commonDir)).filter((entry) => !entry.main)
  const made = linked.filter(({ path }) => path.startsWith(`${base}${sep}`))
  const chosen = branch === undefined ? made : [choose(branch, linked, made)]
  const cleaned: CleanedWorktrees = { kept: [], removed: [] }
  for (const entry of chosen) {
    const obstacle = await removeWorktree(entry, base, options)
    const view = { branch: entry.branch ?? null, worktree: entry.path }
    if (!obstacle) cleaned.removed.push(view)
    else if (branch === undefined) cleaned.kept.push({ ...view, reason: obstacle.reason })
    else throw kept(branch, obstacle)
  }
  return cleaned
}

/** Removes it under its lock, so that no run starts in it meanwhile; resolves with what speaks against it, if anything. */
async function removeWorktree(
  entry: WorktreeEntry,
  base: string,
  options: CleanOptions,
): Promise<Obstacle | undefined> {
  const { commonDir, paths } = options
  const lock = await takeFileLock(worktreeLock(paths, entry.path))
  if (!lock) return { reason: 'is where a run is just being started', suggestions: ['moat wt list'] }
  try {
    const obstacle = await obstacleTo(entry, options)
    if (obstacle) return obstacle
    const checkout = await findCheckoutThere(entry.path)
    await git(repositoryAt(commonDir), ['worktree', 'remove', '--force', '--', entry.path])
    if (checkout) await rm(viewDirectory(paths.home, checkout.adminDir), { force: true, recursive: true })
    await removeEmptyParents(dirname(entry.path), base)
    return undefined
  } finally {
    await lock.release()
  }
}

async function obstacleTo(
  { branch, path }: WorktreeEntry,
  { engine, force }: CleanOptions,
): Promise<Obstacle | undefined> {
  const { agents } = await engine.listAgents()
  const active = agentsIn(path, agents).find((agent) => !hasEnded(agent))
  if (active) return { reason: `has an active run, ${active.name}`, suggestions: [`moat stop ${active.name}`] }
  let checkout: LinkedCheckout | undefined
  try {
    checkout = await findCheckoutThere(path)
  } catch (error) {
    if (!(error instanceof MoatError)) throw error
    return { reason: `cannot be judged: ${error.message.replace(/\.$/, '')}`, suggestions: error.suggestions ?? [] }
  }
  if (!checkout) return undefined
  if (await isLocked(checkout)) {
    return { reason: 'has a locked worktree', suggestions: [`git worktree unlock ${shellQuote(path)}`] }
  }
  const work = force ? undefined : await unsavedWork(checkout)
  const again = branch === undefined ? 'moat wt clean --force' : `moat wt clean ${shellQuote(branch)} --force`
  return work === undefined ? undefined : { reason: work, suggestions: [`git -C ${shellQuote(path)} status`, again] }
}

/** Undefined where somebody has deleted the directory: then there is nothing to lose. */
async function findCheckoutThere(path: string) {
  const there = await access(path).then(
    () => true,
    () => false,
  )
  return there ? findCheckout(path) : undefined
}

function choose(branch: string, linked: WorktreeEntry[], made: WorktreeEntry[]): WorktreeEntry {
  const entry = made.find((candidate) => candidate.branch === branch)
  if (entry) return entry
  const other = linked.find((candidate) => candidate.branch === branch)
  throw new MoatError(
    'WORKTREE_MISSING',
    other
      ? `The worktree of branch ${branch}, ${other.path}, was not made by moat.`
      : `Branch ${branch} has no worktree.`,
    {
      exit: exitCodes.usage,
      suggestions: [other ? `git worktree remove ${shellQuote(other.path)}` : 'moat wt list'],
    },
  )
}

function kept(branch: string, { reason, suggestions }: Obstacle): MoatError {
  return new MoatError('WORKTREE_KEPT', `Nothing was removed: branch ${branch} ${reason}.`, { suggestions })
}
