// Owns what a start that failed takes with it: whatever moat had made for the run outside its container.
import type { MoatPaths } from '../config/paths.js'
import { removeAgentDirectory } from '../doors/agent-directory.js'
import { settleCheckout } from '../worktrees/settle-checkout.js'

/** Its agent may have run for a moment. */
export async function takeBack(workspace: string, runId: string, paths: MoatPaths, note: (line: string) => void) {
  await removeAgentDirectory(paths, runId)
  for (const said of await settleCheckout(workspace, paths.home, runId)) note(said)
}
