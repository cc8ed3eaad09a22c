// Owns having a worktree for a branch: the one there is, or a new one, which can be taken back with its new branch.
import { lstat, mkdir, readdir, realpath, rmdir } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { isBranchName } from './branch-name.js'
import { askGit, changeConfig, git } from './git.js'
import { repositoryAt } from './git-place.js'
import { includeFiles, includeNotes } from './include-files.js'
import { assertNoLinks, makeWorktree, trackBranch } from './make-worktree.js'
import { listWorktrees, type Repository, type WorktreeEntry } from './repository.js'

export interface PreparedWorktree {
  branch: string
  path: string
  /** What a person may not expect: changes that stay behind, where a branch begins. */
  notes: string[]
  /** Takes back what was made for this run: the worktree, and the branch if it was new. Whatever was there stays. */
  rollBack(): Promise<void>
}

/** Where the worktree of a branch is, or would be. Throws INVALID_BRANCH. */
export function worktreePath(base: string, { id }: Repository, branch: string): string {
  if (isBranchName(branch)) return join(base, id, branch)
  throw new MoatError('INVALID_BRANCH', `${JSON.stringify(branch)} is not a name git accepts for a branch.`, {
    exit: exitCodes.usage,
    suggestions: ['git help check-ref-format'],
  })
}

/** Creates or finds the worktree of `branch` under `base`; a new branch begins at HEAD of the repository's checkout. */
export async function prepareWorktree(
  repository: Repository,
  base: string,
  branch: string,
  include: readonly string[] = [],
): Promise<PreparedWorktree> {
  const path = worktreePath(base, repository, branch)
  const entries = await listWorktrees(repository.commonDir)
  const place = await realPlace(path)
  const exists = await isThere(path)
  const registered = entries.find((entry) => entry.path === place)
  const elsewhere = entries.find((entry) => entry.branch === branch && entry.path !== place)
  if (elsewhere) throw checkedOutElsewhere(branch, elsewhere, await isThere(elsewhere.path))
  if (exists && registered) {
    if (registered.branch !== branch) throw onAnotherBranch(path, branch, registered)
    const notes = await broughtAlong(repository, { include, path: place, withFile: false })
    return { branch, notes, path: place, rollBack: async () => {} }
  }
  if (exists) throw inTheWay(path, branch)
  await assertNotNested(path, base, branch)
  return addWorktree(repository, { branch, include, path, stale: registered !== undefined })
}

export interface Addition {
  branch: string
  /** Patterns for ignored files that are to come along. */
  include: readonly string[]
  path: string
  /** git still knows a worktree there, whose directory somebody deleted. */
  stale: boolean
}

async function addWorktree(repository: Repository, addition: Addition): Promise<PreparedWorktree> {
  const { branch, include, path, stale } = addition
  const { commonDir, place } = repository
  const main = repositoryAt(commonDir)
  await assertNoLinks(place, branch)
  const start = await startOf(repository, branch)
  const undo: (() => Promise<unknown>)[] = []
  const rollBack = async () => {
    for (const step of undo.toReversed()) await step()
  }
  try {
    const made = await firstMissing(dirname(path))
    await mkdir(dirname(path), { mode: 0o700, recursive: true })
    if (made !== undefined) undo.push(() => removeEmptyParents(dirname(path), dirname(made)))
    if (start.commit !== undefined) {
      const { commit, from, tracks } = start
      // Fails where the branch has come into being meanwhile: then it is not this run's to take back.
      await git(place, ['branch', '--quiet', '--no-track', '--', branch, from])
      // Only as it was made: with commits on it, it is somebody's.
      undo.push(() => askGit(main, ['update-ref', '-d', `refs/heads/${branch}`, commit]))
      if (tracks) {
        undo.push(() => changeConfig(main, [['--remove-section', `branch.${branch}`]]).catch(() => {}))
        await trackBranch(place, branch, from)
      }
    }
    undo.push(() => askGit(main, ['worktree', 'remove', '--force', '--', path]))
    await makeWorktree(place, { branch, path, stale })
    const real = await realPlace(path)
    const brought = await broughtAlong(repository, { include, path: real, withFile: true })
    return { branch, notes: [...(await notesOn(repository, branch, start)), ...brought], path: real, rollBack }
  } catch (error) {
    await rollBack()
    throw error
  }
}

async function broughtAlong(
  { topLevel }: Repository,
  { include, path, withFile }: { include: readonly string[]; path: string; withFile: boolean },
): Promise<string[]> {
  return includeNotes(await includeFiles({ from: topLevel, patterns: include, to: path, withFile }), include)
}

/**
 * The branch that is meant by what was typed: of `origin/x`, `x`, which follows it, as `git switch x` would. A branch of just that
 * name there is stays itself.
 */
export async function meantBranch({ commonDir }: Repository, typed: string): Promise<string> {
  const main = repositoryAt(commonDir)
  const exists = async (ref: string) => (await askGit(main, ['rev-parse', '--verify', '--quiet', ref])).code === 0
  const bare = typed.replace(/^refs\/heads\//, '')
  if (!isBranchName(bare) || (await exists(`refs/heads/${bare}`))) return bare
  const remoteRef = typed.replace(/^(?:refs\/)?(?:remotes\/)?/, '')
  const branch = remoteRef.replace(/^[^/]+\//, '')
  return branch !== remoteRef && isBranchName(branch) && (await exists(`refs/remotes/${remoteRef}`)) ? branch : bare
}

export interface Start {
  /** The commit a new branch begins at; absent for a branch there is. */
  commit?: string
  from: string
  /** It is a remote's branch, which the new one follows. */
  tracks: boolean
}

export async function startOf({ commonDir, place, topLevel }: Repository, branch: string): Promise<Start> {
  const main = repositoryAt(commonDir)
  const known = await askGit(main, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`])
  if (known.code === 0) return { from: branch, tracks: false }
  const remotes = (await git(main, ['for-each-ref', '--format=%(refname) %(objectname)', 'refs/remotes']))
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([ref]) => ref?.replace(/^refs\/remotes\/[^/]+\//, '') === branch)
  const remote = remotes.find(([ref]) => ref === `refs/remotes/origin/${branch}`) ?? remotes[0]
  if (remote?.[0] && remote[1]) {
    return { commit: remote[1], from: remote[0].replace('refs/remotes/', ''), tracks: true }
  }
  const head = await askGit(place, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
  if (head.code !== 0) throw noCommits(topLevel)
  return { commit: head.stdout.trim(), from: head.stdout.trim(), tracks: false }
}

async function notesOn(
  { place, topLevel }: Repository,
  branch: string,
  { commit, from, tracks }: Start,
): Promise<string[]> {
  if (commit === undefined) return []
  if (tracks) return [`New branch ${branch}, which follows ${from}.`]
  const [head, status] = await Promise.all([
    askGit(place, ['symbolic-ref', '--quiet', '--short', 'HEAD']),
    git(place, ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=all']),
  ])
  const short = commit.slice(0, 8)
  return [
    head.code === 0
      ? `New branch ${branch} from ${head.stdout.trim()} (${short}).`
      : `New branch ${branch} from ${short}; HEAD is detached in ${topLevel}.`,
    ...(status === '' ? [] : [`Uncommitted changes in ${topLevel} stay there; the branch begins at the commit.`]),
  ]
}

/** Removes `directory` and its parents as long as they are empty, up to and without `stop`. */
export async function removeEmptyParents(directory: string, stop: string): Promise<void> {
  for (let current = directory; current.startsWith(`${stop}${sep}`); current = dirname(current)) {
    const empty = await rmdir(current).then(
      () => true,
      () => false,
    )
    if (!empty) return
  }
}

/** A worktree within another one would be among its files. */
async function assertNotNested(path: string, base: string, branch: string): Promise<void> {
  for (let current = dirname(path); current.startsWith(`${resolve(base)}${sep}`); current = dirname(current)) {
    if (!(await isThere(join(current, '.git')))) continue
    const message = `${path} would lie in another worktree, ${current}, so branch ${branch} cannot have it.`
    throw new MoatError('WORKTREE_IN_THE_WAY', message, {
      exit: exitCodes.usage,
      suggestions: [`git worktree remove ${shellQuote(current)}`],
    })
  }
}

async function firstMissing(path: string): Promise<string | undefined> {
  if (await lstat(path).catch(() => undefined)) return undefined
  return (await firstMissing(dirname(path))) ?? path
}

/** An empty directory is as good as none. */
async function isThere(path: string): Promise<boolean> {
  const entry = await lstat(path).catch(() => undefined)
  if (!entry?.isDirectory()) return entry !== undefined
  return (await readdir(path)).length > 0
}

/** The real path of one that need not exist, as git lists it. */
export async function realPlace(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  if (real !== undefined || dirname(path) === path) return real ?? path
  return join(await realPlace(dirname(path)), path.slice(dirname(path).length))
}

function checkedOutElsewhere(branch: string, { main, path }: WorktreeEntry, there: boolean): MoatError {
  const where = main ? 'the main checkout' : 'another worktree'
  return new MoatError(
    'BRANCH_CHECKED_OUT',
    `Branch ${branch} is checked out in ${where}, ${path}; git allows that once.`,
    {
      exit: exitCodes.usage,
      suggestions: [there ? `moat run ${shellQuote(path)}` : 'git worktree prune'],
    },
  )
}

function onAnotherBranch(path: string, branch: string, entry: WorktreeEntry): MoatError {
  const now =
    entry.branch === undefined ? `at ${entry.head?.slice(0, 8)}, with HEAD detached` : `on branch ${entry.branch}`
  return new MoatError('WORKTREE_IN_THE_WAY', `The worktree of branch ${branch}, ${path}, is ${now}.`, {
    exit: exitCodes.usage,
    suggestions: [`git -C ${shellQuote(path)} switch ${shellQuote(branch)}`, `moat run ${shellQuote(path)}`],
  })
}

function inTheWay(path: string, branch: string): MoatError {
  return new MoatError('WORKTREE_IN_THE_WAY', `${path} exists and is not a worktree of this repository.`, {
    exit: exitCodes.usage,
    suggestions: [`ls -la ${shellQuote(path)}`, `MOAT_WORKTREE_BASE=<another directory> moat wt ${shellQuote(branch)}`],
  })
}

function noCommits(topLevel: string): MoatError {
  return new MoatError(
    'NO_COMMITS',
    `The repository ${topLevel} has no commits yet, so a branch has nowhere to begin.`,
    {
      exit: exitCodes.usage,
      suggestions: [`git -C ${shellQuote(topLevel)} commit --allow-empty -m 'First commit'`],
    },
  )
}
