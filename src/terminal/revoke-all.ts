// Owns taking back whatever a person has allowed a directory: what its moat.yaml asked for, and what of its git config is let be.
import { resolve } from 'node:path'
import { approvalPlace } from '../approvals/approval-place.js'
import { revokeApprovals } from '../approvals/records.js'
import type { MoatPaths } from '../config/paths.js'
import { realPlace } from '../config/real-path.js'
import { forgetAllowed } from '../guard/allowed-settings.js'
import { mainCheckoutAt } from '../worktrees/main-checkout.js'

/** `revoked` is false when there was nothing. The directory may be gone by now. */
export async function revokeAll(
  path: string,
  { approvals, home, worktrees }: Pick<MoatPaths, 'approvals' | 'home' | 'worktrees'>,
): Promise<{ path: string; revoked: boolean }> {
  const workspace = await realPlace(resolve(path))
  const place = await approvalPlace(workspace, worktrees)
  const revoked = await revokeApprovals(approvals, place)
  const checkout = await mainCheckoutAt(workspace).catch(() => undefined)
  const forgotten = checkout !== undefined && forgetAllowed(checkout, home)
  return { path: place, revoked: revoked || forgotten }
}
