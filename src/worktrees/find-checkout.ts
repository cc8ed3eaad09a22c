// Owns finding the linked worktree a directory lies in, from git's files alone, and distrusting them: an agent may have
// written the files of a workspace, and what they point to is mounted into its next container.
import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { isBranchName } from './branch-name.js'
import type { GitPlace } from './git-place.js'
import { readGitFile } from './read-git-file.js'

/** A linked worktree. All paths are absolute and real. */
export interface LinkedCheckout {
  /** What git keeps for this worktree: `<commonDir>/worktrees/<id>`. */
  adminDir: string
  /** Undefined for a detached HEAD. */
  branch?: string
  /** The repository's own directory: the main checkout's `.git`, or the bare repository. */
  commonDir: string
  /** The top of the worktree. */
  root: string
}

/** The linked worktree that `directory` is in; undefined for anything else. Throws WORKTREE_BROKEN. */
export async function findCheckout(directory: string): Promise<LinkedCheckout | undefined> {
  const root = await findRoot(await realpath(directory))
  if (root === undefined) return undefined
  const target = /^gitdir: (.+?)\r?\n*$/s.exec((await readGitFile(join(root, '.git'))) ?? '')?.[1]
  if (target === undefined) return undefined
  const adminDir = await realpath(resolve(root, target)).catch(() => undefined)
  if (adminDir === undefined)
    throw broken(root, `its .git file points to ${resolve(root, target)}, which does not exist`)
  // Without one it is a submodule, or a repository whose directory is elsewhere; `.` is what moat has put there.
  const common = await readLine(join(adminDir, 'commondir'))
  if (common === undefined || common === '.') return undefined
  const commonDir = await realpath(resolve(adminDir, common)).catch(() => undefined)
  const back = await readLine(join(adminDir, 'gitdir'))
  const backRoot = back && (await realpath(dirname(resolve(adminDir, back))).catch(() => undefined))
  const known = commonDir !== undefined && dirname(dirname(adminDir)) === commonDir
  if (!known || basename(dirname(adminDir)) !== 'worktrees' || contains(root, commonDir) || backRoot !== root) {
    throw broken(root, `${adminDir} does not point back to it`)
  }
  // git would wait for a pipe, and moat for git.
  if ((await readLine(join(adminDir, 'HEAD'))) === undefined)
    throw broken(root, `${join(adminDir, 'HEAD')} is no file that git could have written`)
  const branch = await currentBranch(adminDir)
  return { adminDir, commonDir, root, ...(branch !== undefined && { branch }) }
}

/** The branch of HEAD, or the one a rebase under way is of. */
export async function currentBranch(gitDir: string): Promise<string | undefined> {
  for (const file of ['HEAD', 'rebase-merge/head-name', 'rebase-apply/head-name']) {
    const name = /^(?:ref: )?refs\/heads\/(.+)$/.exec((await readLine(join(gitDir, file))) ?? '')?.[1]
    // An agent can write these files.
    if (name !== undefined && isBranchName(name)) return name
  }
  return undefined
}

async function findRoot(directory: string): Promise<string | undefined> {
  for (let current = directory; ; current = dirname(current)) {
    const entry = await lstat(join(current, '.git')).catch(() => undefined)
    if (entry) return entry.isFile() ? current : undefined
    if (dirname(current) === current) return undefined
  }
}

async function readLine(file: string): Promise<string | undefined> {
  return (await readGitFile(file))?.replace(/\r?\n$/, '')
}

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}${sep}`)
}

/** For git: the worktree, and nothing else its files may say. */
export function placeOf({ adminDir, commonDir, root }: LinkedCheckout): GitPlace {
  return { commonDir, gitDir: adminDir, root }
}

function broken(root: string, reason: string): MoatError {
  return new MoatError('WORKTREE_BROKEN', `${root} is a git worktree that its repository does not know: ${reason}.`, {
    exit: exitCodes.usage,
    // Without the file, the directory is one like any other.
    suggestions: [
      `git -C <repository> worktree repair ${shellQuote(root)}`,
      `mv ${shellQuote(join(root, '.git'))} ${shellQuote(join(root, '.git.broken'))}`,
    ],
  })
}
