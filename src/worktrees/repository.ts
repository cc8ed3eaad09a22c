// Owns what moat knows of a repository on the host: where it is, its id, its worktrees, what its config gives away.
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { findCheckout, placeOf } from './find-checkout.js'
import { askGit, git } from './git.js'
import { findMainCheckout, type GitPlace, mainDirectory, repositoryAt, unsafe } from './git-place.js'
import { assertOwned } from './owner.js'
import { isAcknowledged } from './repository-config.js'
import { localId, remoteId } from './repository-id.js'

export interface Repository {
  commonDir: string
  id: string
  /** The checkout it was opened from. */
  place: GitPlace
  /** The top of that checkout. */
  topLevel: string
}

/** A worktree as git lists it; the main checkout is one too. */
export interface WorktreeEntry {
  /** Undefined for a detached HEAD. */
  branch?: string
  /** Undefined where there is no commit. */
  head?: string
  /** True for the main checkout, or the bare repository itself. */
  main: boolean
  path: string
}

/** The repository that `directory` is a checkout of. Throws NOT_A_REPOSITORY, BARE_REPOSITORY, REPOSITORY_UNSAFE. */
export async function openRepository(directory: string): Promise<Repository> {
  const real = await realpath(directory)
  const linked = await findCheckout(real)
  const place = linked ? placeOf(linked) : await findMainCheckout(real)
  if (!place) throw notRepository(directory)
  const { commonDir, root } = place
  await assertOwned(place)
  if (root === undefined || real === commonDir || real.startsWith(`${commonDir}${sep}`)) {
    if (mainDirectory(commonDir) === commonDir) throw bareRepository(directory)
    throw new MoatError(
      'NOT_A_REPOSITORY',
      `${directory} is inside a repository's own files, not in a checkout of it.`,
      {
        exit: exitCodes.usage,
        suggestions: ['git worktree list'],
      },
    )
  }
  if (!linked && !(await isAcknowledged(place))) throw notItsOwn(place, root)
  return { commonDir, id: await repositoryId(commonDir), place, topLevel: root }
}

/** `host/owner/repo` of the remote (`origin`, else the first), or an id of the place it is at. */
export async function repositoryId(commonDir: string): Promise<string> {
  const remotes = (await git(repositoryAt(commonDir), ['remote'])).split('\n').filter((name) => name !== '')
  const remote = remotes.includes('origin') ? 'origin' : remotes[0]
  // Asked of git, because `url.<base>.insteadOf` may stand for the host.
  const query = ['remote', 'get-url', '--', remote ?? '']
  const url = remote === undefined ? undefined : (await askGit(repositoryAt(commonDir), query)).stdout
  return (url && remoteId(url.split('\n')[0] ?? '')) ?? localId(commonDir)
}

/** All worktrees of the repository, the main one first. */
export async function listWorktrees(commonDir: string): Promise<WorktreeEntry[]> {
  await assertNoPipes(join(commonDir, 'worktrees'))
  const text = await git(repositoryAt(commonDir), ['worktree', 'list', '--porcelain'])
  const entries = text
    .split('\n\n')
    .filter((block) => block.startsWith('worktree '))
    .map((block, index) => {
      const field = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(block)?.[1]
      const [branch, head] = [field('branch')?.replace(/^refs\/heads\//, ''), field('HEAD')]
      return {
        main: index === 0,
        // Of the main one git names the common directory it was given, which is moat's.
        path: index === 0 ? mainDirectory(commonDir) : (field('worktree') ?? ''),
        ...(branch !== undefined && { branch }),
        ...(head !== undefined && !/^0+$/.test(head) && { head }),
      }
    })
  return Promise.all(entries.map(withRebasedBranch))
}

/** git would wait for somebody to write there, and an agent can put one into what git keeps for its worktree. */
async function assertNoPipes(worktrees: string): Promise<void> {
  for (const id of await readdir(worktrees).catch(() => [])) {
    const head = join(worktrees, id, 'HEAD')
    if (!(await stat(head).catch(() => undefined))?.isFIFO()) continue
    throw unsafe(`${head} is a pipe, for which git would wait; a program has put it there.`, [`rm ${shellQuote(head)}`])
  }
}

/** During a rebase HEAD is detached, and the worktree still is its branch's. */
async function withRebasedBranch(entry: WorktreeEntry): Promise<WorktreeEntry> {
  if (entry.main || entry.branch !== undefined) return entry
  const branch = (await findCheckout(entry.path).catch(() => undefined))?.branch
  return branch === undefined ? entry : { ...entry, branch }
}

/** Names of remotes whose URL has a password or token in it: whoever reads the config has it too. */
export async function remotesWithCredentials(commonDir: string): Promise<string[]> {
  const query = ['config', '--get-regexp', '^remote\\..*\\.(url|pushurl)$']
  const lines = (await askGit(repositoryAt(commonDir), query)).stdout.split('\n')
  const names = lines.flatMap((line) => {
    const [, name, url] = /^remote\.(.*)\.(?:url|pushurl) (.*)$/.exec(line) ?? []
    // A user alone is a token over HTTP, and an account's name over SSH.
    return name !== undefined && /^(https?:\/\/[^/]*@|[a-z+]+:\/\/[^/]*:[^/]*@)/i.test(url ?? '') ? [name] : []
  })
  return [...new Set(names)]
}

/** An agent of a workspace without a repository can make that file, and `moat wt` would give the next one the other's files. */
function notItsOwn({ commonDir }: GitPlace, root: string): MoatError {
  const message = `${join(root, '.git')} leads to ${commonDir}, which does not say that ${root} is its checkout; a program may have made that file.`
  return unsafe(message, [
    `git config --file ${shellQuote(join(commonDir, 'config'))} core.worktree ${shellQuote(root)}`,
    `rm ${shellQuote(join(root, '.git'))}`,
  ])
}

function notRepository(directory: string): MoatError {
  return new MoatError(
    'NOT_A_REPOSITORY',
    `${directory} is not in a git repository, so there is nothing to branch from.`,
    {
      exit: exitCodes.usage,
      suggestions: [`moat run ${shellQuote(directory)}`, `git -C ${shellQuote(directory)} init`],
    },
  )
}

function bareRepository(directory: string): MoatError {
  const checkout = shellQuote(`${directory.replace(/(\/|\.git)+$/, '')}-checkout`)
  return new MoatError(
    'BARE_REPOSITORY',
    `${directory} is a bare repository: it has no checkout whose moat.yaml could be run.`,
    {
      exit: exitCodes.usage,
      suggestions: [`git -C ${shellQuote(directory)} worktree add ${checkout}`, `cd ${checkout}`],
    },
  )
}
