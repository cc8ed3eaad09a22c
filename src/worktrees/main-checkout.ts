// Owns which main checkout or bare repository a workspace is, and which it cannot be.
import { lstat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { findMainCheckout, type GitPlace, unsafe } from './git-place.js'

/**
 * The repository whose own directory is, or lies in, the workspace, or which its `.git` file names. Undefined for a directory
 * further down, of which only that is given away. Throws REPOSITORY_UNSAFE.
 */
export async function mainCheckoutAt(workspace: string): Promise<GitPlace | undefined> {
  const place = await findMainCheckout(workspace)
  if (place?.root !== workspace) await assertNothingBroken(workspace)
  if (!place) return undefined
  const { commonDir, root } = place
  if (workspace === commonDir) return { commonDir, gitDir: commonDir }
  if (workspace.startsWith(`${commonDir}${sep}`)) {
    throw unsafe(`${workspace} lies in a git repository's own directory, whose files your git runs.`, [
      `moat run ${shellQuote(root ?? '<a checkout>')}`,
    ])
  }
  if (root !== workspace) return undefined
  await assertNoLink(join(root, '.git'), commonDir)
  return place
}

/**
 * What git takes for no repository is not covered either: an agent that took a file away would have the rest to itself in its next
 * run, and could put the file back.
 */
async function assertNothingBroken(workspace: string): Promise<void> {
  const git = join(workspace, '.git')
  if (await isThere(git)) {
    throw unsafe(
      `${git} is there, and leads to no repository that git can read: a program may have broken it, to write in it what your git runs.`,
      [`git -C ${shellQuote(workspace)} status`, `mv ${shellQuote(git)} ${shellQuote(`${git}.broken`)}`],
    )
  }
  const parts = await Promise.all(['config', 'hooks', 'objects', 'refs'].map((name) => isThere(join(workspace, name))))
  if (parts.every(Boolean) && !(await isThere(join(workspace, 'HEAD')))) {
    throw unsafe(`${workspace} is a repository without a HEAD: a program may have taken it away.`, [
      `git -C ${shellQuote(workspace)} status`,
    ])
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

/** No mount can hold a link in its place, and the agent would have your git go elsewhere. */
async function assertNoLink(path: string, gitDir: string): Promise<void> {
  if (!(await lstat(path)).isSymbolicLink()) return
  throw unsafe(
    `${path} is a symbolic link, which an agent could replace; a .git file does the same, and can be held.`,
    [`rm ${shellQuote(path)} && echo ${shellQuote(`gitdir: ${gitDir}`)} > ${shellQuote(path)}`],
  )
}
