// Owns what a worktree holds that would be lost, or missed, with it. An agent may have written all of its files, so git is
// told where the repository is instead of asking the worktree, and never looks into repositories within it.
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type LinkedCheckout, placeOf } from './find-checkout.js'
import { askGit, git } from './git.js'

/** State of an operation that git has begun and not ended. */
const operations: Record<string, string> = {
  BISECT_LOG: 'a bisection',
  CHERRY_PICK_HEAD: 'a cherry-pick',
  MERGE_HEAD: 'a merge',
  REVERT_HEAD: 'a revert',
  'rebase-apply': 'a rebase',
  'rebase-merge': 'a rebase',
}

/** Why the worktree is worth keeping, as the end of a sentence that begins with its branch; undefined if it is not. */
export async function unsavedWork(checkout: LinkedCheckout): Promise<string | undefined> {
  return (
    (await operation(checkout)) ?? (await uncommitted(checkout)) ?? (await submodule(checkout)) ?? unpushed(checkout)
  )
}

/** True for a worktree that `git worktree lock` protects. */
export function isLocked({ adminDir }: LinkedCheckout): Promise<boolean> {
  return exists(join(adminDir, 'locked'))
}

async function operation({ adminDir }: LinkedCheckout): Promise<string | undefined> {
  for (const [file, name] of Object.entries(operations)) {
    if (await exists(join(adminDir, file))) return `is in the middle of ${name}`
  }
  return undefined
}

async function uncommitted(checkout: LinkedCheckout): Promise<string | undefined> {
  const flags = ['--porcelain', '-z', '--no-renames', '--untracked-files=all', '--ignore-submodules=all']
  const changes = (await gitIn(checkout, ['status', ...flags])).split('\0').filter((entry) => entry !== '').length
  return changes === 0 ? undefined : `has ${count(changes, 'uncommitted change')}`
}

async function submodule(checkout: LinkedCheckout): Promise<string | undefined> {
  const links = (await gitIn(checkout, ['ls-files', '--stage', '-z']))
    .split('\0')
    .filter((line) => line.startsWith('160000 '))
  for (const link of links) {
    const path = link.slice(link.indexOf('\t') + 1)
    const files = await readdir(join(checkout.root, path)).catch(() => [])
    if (files.length > 0) return `has a submodule, ${path}, whose work moat does not look at`
  }
  return undefined
}

/**
 * With remotes: commits that none has. Without: commits on no other branch. With HEAD detached, being on any branch is
 * enough, because branches stay.
 */
async function unpushed(checkout: LinkedCheckout): Promise<string | undefined> {
  const { branch } = checkout
  const place = placeOf(checkout)
  // A branch without a commit has none that is not pushed.
  if ((await askGit(place, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])).code !== 0) return undefined
  const detached = (await askGit(place, ['symbolic-ref', '--quiet', 'HEAD'])).code !== 0
  const hasRemotes = (await gitIn(checkout, ['remote'])) !== ''
  const saved = detached
    ? ['--branches', '--remotes']
    : hasRemotes
      ? ['--remotes']
      : [`--exclude=${branch}`, '--branches']
  const commits = Number(await gitIn(checkout, ['rev-list', '--count', 'HEAD', '--not', ...saved]))
  if (commits === 0) return undefined
  const where = detached ? 'on no branch' : hasRemotes ? 'not pushed' : 'on no other branch'
  return `has ${count(commits, 'commit')} ${where}`
}

function gitIn(checkout: LinkedCheckout, args: readonly string[]): Promise<string> {
  return git(placeOf(checkout), args)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
