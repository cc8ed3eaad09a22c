// Owns what of git a run is about: the checkout that its workspace is, or the clone in which it is to work instead.
import { findCheckout } from '../../worktrees/find-checkout.js'
import { mainCheckoutAt } from '../../worktrees/main-checkout.js'
import type { CloneRequest, PlannedGit } from './agent-plan.js'

export async function planGit(workspace: string, clone: CloneRequest | undefined): Promise<PlannedGit> {
  if (clone) {
    const { planClone } = await import('./plan-clone.js')
    return planClone(workspace, clone)
  }
  const checkout = await findCheckout(workspace)
  const mainCheckout = checkout ? undefined : await mainCheckoutAt(workspace)
  const branch = checkout?.branch
  return {
    branch,
    commonDir: (checkout ?? mainCheckout)?.commonDir,
    ...(checkout && {
      checkout,
      git: { ...(branch !== undefined && { branch }), repository: await idOf(checkout.commonDir) },
    }),
    ...(mainCheckout && { mainCheckout }),
  }
}

/** Asks git, which a run outside of a worktree does not load. */
async function idOf(commonDir: string): Promise<string> {
  const { repositoryId } = await import('../../worktrees/repository.js')
  return repositoryId(commonDir)
}
