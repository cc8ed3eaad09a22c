// Owns whose approvals count for a workspace: its own, or those of the repository that moat made it a worktree of.
import { basename, dirname, join, relative } from 'node:path'
import { contains, realPlace } from '../config/real-path.js'
import { findCheckout } from '../worktrees/find-checkout.js'

/**
 * The real path that approvals of `workspace` are kept by. `worktrees` is where moat makes worktrees; one made elsewhere
 * stands for itself. That the repository knows the worktree is made sure of, because an agent can write its .git file.
 */
export async function approvalPlace(workspace: string, worktrees: string): Promise<string> {
  if (!contains(await realPlace(worktrees), workspace)) return workspace
  const checkout = await findCheckout(workspace)
  if (!checkout || !contains(await realPlace(worktrees), checkout.root)) return workspace
  const { commonDir, root } = checkout
  const repository = basename(commonDir) === '.git' ? dirname(commonDir) : commonDir
  return join(repository, relative(root, workspace))
}
