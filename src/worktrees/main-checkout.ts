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

/** No mount can hold a link in its place, and the agent would have your git go elsewhere. */
async function assertNoLink(path: string, gitDir: string): Promise<void> {
  if (!(await lstat(path)).isSymbolicLink()) return
  throw unsafe(
    `${path} is a symbolic link, which an agent could replace; a .git file does the same, and can be held.`,
    [`rm ${shellQuote(path)} && echo ${shellQuote(`gitdir: ${gitDir}`)} > ${shellQuote(path)}`],
  )
}
