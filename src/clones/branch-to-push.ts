// Owns which branch of the user's repository is meant: the one that is named, else the one that is checked out.
import { exitCodes, MoatError } from '../errors.js'
import { isBranchName } from '../worktrees/branch-name.js'
import { askGit } from '../worktrees/git.js'
import { type GitPlace, repositoryAt } from '../worktrees/git-place.js'

/** `checkout` is where the command was called, if that is one of the repository; else its main one counts. Throws INVALID_BRANCH. */
export async function branchToPush(
  commonDir: string,
  checkout: GitPlace | undefined,
  named: string | undefined,
): Promise<string> {
  const place = checkout ?? repositoryAt(commonDir)
  const branch = named?.replace(/^refs\/heads\//, '') ?? (await checkedOutBranch(place))
  if (branch === undefined) {
    throw new MoatError('INVALID_BRANCH', 'No branch is checked out here, so say which one to push.', {
      exit: exitCodes.usage,
      suggestions: ['moat push <agent> <branch>', 'git branch --list'],
    })
  }
  const ref = `refs/heads/${branch}`
  if (isBranchName(branch) && (await askGit(place, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`])).code === 0)
    return branch
  throw new MoatError('INVALID_BRANCH', `The repository has no branch ${branch} with commits.`, {
    exit: exitCodes.usage,
    suggestions: ['git branch --list'],
  })
}

/** Undefined for a detached HEAD. */
export async function checkedOutBranch(place: GitPlace): Promise<string | undefined> {
  const { code, stdout } = await askGit(place, ['symbolic-ref', '--quiet', 'HEAD'])
  return code === 0 ? /^refs\/heads\/(.+)$/.exec(stdout.trim())?.[1] : undefined
}
