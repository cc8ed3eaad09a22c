// Owns what a run in a clone of its own is about: of which repository it is, what is checked out in it, and that nothing of the workspace is
// given to it.
import type { MoatYaml } from '../../config/moat-yaml.js'
import { isWorkspaceItself, type Mount } from '../../config/mount.js'
import { contains } from '../../config/real-path.js'
import { shellQuote } from '../../config/shell-quote.js'
import { visible } from '../../config/visible.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { RouteFragment } from '../../routing/agent.js'
import { currentBranch } from '../../worktrees/find-checkout.js'
import { meantBranch } from '../../worktrees/prepare-worktree.js'
import { openRepository } from '../../worktrees/repository.js'
import type { CloneRequest, PlannedGit } from './agent-plan.js'

export async function planClone(workspace: string, asked: CloneRequest): Promise<PlannedGit> {
  const repository = await openRepository(workspace)
  const { commonDir, id, place, topLevel } = repository
  if (topLevel !== workspace) {
    throw new MoatError(
      'USAGE',
      `${workspace} is a directory of the repository ${topLevel}; a clone is of the whole.`,
      {
        exit: exitCodes.usage,
        suggestions: [`moat run --clone ${shellQuote(topLevel)}`, `moat run ${shellQuote(workspace)}`],
      },
    )
  }
  const wanted = asked.branch === undefined ? undefined : await meantBranch(repository, asked.branch)
  const current = wanted ?? (await currentBranch(place.gitDir))
  return {
    // As in a worktree; what is checked out in the main checkout names nothing.
    branch: wanted ?? (place.gitDir === commonDir ? undefined : current),
    clone: { repository, ...(wanted !== undefined && { branch: wanted }) },
    commonDir,
    git: { ...(current !== undefined && { branch: current }), repository: id },
  }
}

/** Of the workspace an agent in a clone is given nothing, also not by moat.yaml. Throws CONFIG_INVALID. */
export function assertApartFromWorkspace(
  { clone }: PlannedGit,
  {
    displayFile,
    mounts,
    routes,
    workspace,
  }: {
    displayFile: string
    mounts: MoatYaml['mounts']
    routes: readonly Pick<RouteFragment, 'endpoint' | 'files'>[]
    workspace: string
  },
): void {
  if (!clone) return
  const fail = (message: string) =>
    new MoatError('CONFIG_INVALID', `${displayFile}: ${message}`, {
      exit: exitCodes.usage,
      suggestions: ['moat wt <branch>   # files of its own, on this machine', 'moat run   # without --clone'],
    })
  const inWorkspace = ({ source }: Mount) => contains(workspace, source) || contains(source, workspace)
  const mount = mounts.find((one) => !isWorkspaceItself(one) && inWorkspace(one))
  if (mount) {
    throw fail(`it mounts ${visible(mount.source)}, of the workspace, of which an agent in a clone is given nothing.`)
  }
  const served = routes.find(({ files }) => files)
  if (served) {
    throw fail(`the endpoint ${served.endpoint} serves files of the workspace, and an agent in a clone has others.`)
  }
}
