// Owns the list of a repository's worktrees, with what runs in them.
import { sep } from 'node:path'
import type { Engine } from '../engine/engine.js'
import type { Agent, AgentState } from '../routing/agent.js'
import { listWorktrees } from '../worktrees/repository.js'

/** Fields may be added, never removed or renamed. */
export interface WorktreeView {
  /** Null for a detached HEAD. */
  branch: string | null
  /** Oldest first; ended ones too, as long as their container is there. */
  runs: { name: string; runId: string; state: AgentState }[]
  /** Absolute path on the host. */
  worktree: string
}

/** All linked worktrees of the repository, whoever made them. */
export async function listWorktreeRuns(engine: Engine, commonDir: string): Promise<WorktreeView[]> {
  const [{ agents }, entries] = await Promise.all([engine.listAgents(), listWorktrees(commonDir)])
  return entries
    .filter(({ main }) => !main)
    .map(({ branch, path }) => ({
      branch: branch ?? null,
      runs: agentsIn(path, agents).map(({ name, runId, state }) => ({ name, runId, state })),
      worktree: path,
    }))
}

/** The agents whose workspace is the worktree or lies in it; one that works in a clone has none of its files. */
export function agentsIn(worktree: string, agents: readonly Agent[]): Agent[] {
  return agents.filter(
    ({ clone, workspace }) =>
      clone === undefined && (workspace === worktree || workspace.startsWith(`${worktree}${sep}`)),
  )
}
