// Owns what of git a run is about: the checkout that its workspace is, or the clone in which it is to work instead.
import type { MoatYaml } from '../../config/moat-yaml.js'
import { isWorkspaceItself, type Mount } from '../../config/mount.js'
import { contains } from '../../config/real-path.js'
import { shellQuote } from '../../config/shell-quote.js'
import { visible } from '../../config/visible.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { RouteFragment } from '../../routing/agent.js'
import { checkoutNotes } from '../../worktrees/checkout-notes.js'
import { currentBranch, findCheckout, type LinkedCheckout, placeOf } from '../../worktrees/find-checkout.js'
import type { GitPlace } from '../../worktrees/git-place.js'
import { mainCheckoutAt } from '../../worktrees/main-checkout.js'
import { meantBranch } from '../../worktrees/prepare-worktree.js'
import { openRepository, type Repository, repositoryId } from '../../worktrees/repository.js'

/** What a person asks for by `--clone`. */
export interface CloneRequest {
  /** What is to be checked out there; default: what the workspace has. */
  branch?: string
}

export interface PlannedClone {
  /** As asked for. */
  branch?: string
  repository: Repository
}

export interface PlannedGit {
  /** Of the worktree, or the clone: what the run is named after. */
  branch?: string | undefined
  /** The git worktree that the workspace is, if it is one. */
  checkout?: LinkedCheckout
  clone?: PlannedClone
  /** The repository's own directory. */
  commonDir?: string | undefined
  /** What the agent is known by besides its name when its workspace lies in a git worktree. */
  git?: { branch?: string; repository: string }
  /** The main checkout that the workspace is, if it is one. */
  mainCheckout?: GitPlace
}

export async function planGit(workspace: string, clone: CloneRequest | undefined): Promise<PlannedGit> {
  if (clone) return planClone(workspace, clone)
  const checkout = await findCheckout(workspace)
  const mainCheckout = checkout ? undefined : await mainCheckoutAt(workspace)
  const branch = checkout?.branch
  return {
    branch,
    commonDir: (checkout ?? mainCheckout)?.commonDir,
    ...(checkout && {
      checkout,
      git: { ...(branch !== undefined && { branch }), repository: await repositoryId(checkout.commonDir) },
    }),
    ...(mainCheckout && { mainCheckout }),
  }
}

/** What a person should know of the checkout; of a clone that is told when it is made. */
export async function gitNotes({ checkout, mainCheckout }: PlannedGit): Promise<string[]> {
  const place = checkout ? placeOf(checkout) : mainCheckout
  return place ? checkoutNotes(place) : []
}

async function planClone(workspace: string, asked: CloneRequest): Promise<PlannedGit> {
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
