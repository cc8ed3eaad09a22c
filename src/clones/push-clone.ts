// Owns bringing a branch of the user's repository into a clone: never over what is not committed there, and over commits only if asked.
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { askGit, git as hostGit } from '../worktrees/git.js'
import { type GitPlace, repositoryAt } from '../worktrees/git-place.js'
import { makeOwnDirectory } from '../worktrees/own-directory.js'
import { agentText } from './agent-text.js'
import type { CloneGit } from './clone-helper.js'
import { packCommits } from './pack-commits.js'
import { lines } from './quarantine.js'
import { asked, type CloneState, readClone } from './read-clone.js'

export interface PushRequest {
  agent: string
  branch: string
  commonDir: string
  /** Commits that only the clone has are given up. */
  force: boolean
}

export interface PushedBranch {
  branch: string
  /** True when the clone has it checked out, so that its files have changed too. */
  checkedOut: boolean
  commit: string
  /** What the branch was in the clone, and is not part of what it is now. */
  replaced?: string
  /** False when it was there already. */
  changed: boolean
}

export async function pushClone(git: CloneGit, request: PushRequest): Promise<PushedBranch> {
  const { agent, branch, commonDir, force } = request
  const place = repositoryAt(commonDir)
  const commit = await hostGit(place, ['rev-parse', '--verify', `refs/heads/${branch}^{commit}`])
  const state = await readClone(git, { untracked: false })
  const old = state.refs.find((ref) => ref.branch === branch)?.id
  const checkedOut = state.branch === branch
  if (old === commit) return { branch, changed: false, checkedOut, commit }
  if (checkedOut) assertClean(agent, state)
  const follows = old === undefined || (await askGit(place, ['merge-base', '--is-ancestor', old, commit])).code === 0
  if (!follows && !force) throw notForward(agent, branch)
  await sendObjects(git, place, commit, state)
  if (checkedOut) await moveCheckedOut(git, agent, commit)
  else await moveRef(git, branch, commit, old)
  return { branch, changed: true, checkedOut, commit, ...(!follows && old !== undefined && { replaced: old }) }
}

function assertClean(agent: string, { uncommitted: [first, ...others] }: CloneState): void {
  if (!first) return
  const rest = others.length === 0 ? '' : ` and ${others.length} more`
  throw new MoatError(
    'CLONE_IN_WAY',
    `The clone of ${agent} has uncommitted changes, in ${agentText(first.path)}${rest}.`,
    {
      suggestions: [`moat exec ${agent} -- git status`, `moat exec ${agent} -- git stash`],
    },
  )
}

function notForward(agent: string, branch: string): MoatError {
  const message = `Branch ${branch} has commits in the clone of ${agent} that it does not have here, so it would lose them there.`
  return new MoatError('CLONE_IN_WAY', message, {
    suggestions: [
      `moat pull ${agent} && git merge ${shellQuote(`moat/${agent}/${branch}`)}`,
      `moat push ${agent} ${shellQuote(branch)} --force`,
    ],
  })
}

async function sendObjects(git: CloneGit, place: GitPlace, commit: string, { refs }: CloneState): Promise<void> {
  const check = ['cat-file', '--batch-check=%(objecttype) %(objectname)']
  const { stdout } = await askGit(place, check, { input: lines(refs.map(({ id }) => id)) })
  const here = new Set(stdout.split('\n'))
  const known = refs.flatMap(({ id }) => (here.has(`commit ${id}`) ? [id] : []))
  const directory = await makeOwnDirectory('push-')
  try {
    const file = await packCommits(place, [commit], known, { base: join(directory, 'pack') })
    await asked(git, ['index-pack', '--stdin', '--fix-thin'], createReadStream(file))
  } finally {
    await rm(directory, { force: true, recursive: true })
  }
}

/** git itself refuses if a file that would change has changed meanwhile, or one that git does not know is in the way. */
async function moveCheckedOut(git: CloneGit, agent: string, commit: string): Promise<void> {
  const { code, stderr } = await git.ask(['reset', '--quiet', '--keep', '--no-recurse-submodules', commit])
  if (code === 0) return
  throw new MoatError('CLONE_IN_WAY', `The files in the clone of ${agent} could not be changed: ${agentText(stderr)}`, {
    suggestions: [`moat exec ${agent} -- git status`],
  })
}

async function moveRef(git: CloneGit, branch: string, commit: string, old: string | undefined): Promise<void> {
  await asked(git, ['update-ref', '-m', 'moat push', `refs/heads/${branch}`, commit, old ?? '0'.repeat(commit.length)])
}
