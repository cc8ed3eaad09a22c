// Owns making a clone of a repository on this machine, by a git that runs nothing of it: what is committed, the branches and tags, and
// nothing else. An agent is given a copy of what is made here.
import { access, copyFile, lstat, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { askGit, carefulSettings, git, gitCommand, gitFailed } from '../worktrees/git.js'
import { type GitPlace, repositoryAt } from '../worktrees/git-place.js'
import { makeOwnDirectory } from '../worktrees/own-directory.js'
import { startOf } from '../worktrees/prepare-worktree.js'
import type { Repository } from '../worktrees/repository.js'
import { allowedConfig, type ConfigEntry, configText } from '../worktrees/repository-config.js'
import { startGit } from '../worktrees/start-git.js'
import { checkedOutBranch } from './branch-to-push.js'
import { withoutCredentials } from './origin-url.js'
import { packCommits } from './pack-commits.js'

export interface MadeClone {
  /** Its top; in moat's own directory. */
  directory: string
  /** What a person may not expect. */
  notes: string[]
  remove(): Promise<void>
}

/** What is brought back from clones, which is no work of the user's own: refs/heads/moat/<agent>/<branch>. */
export const pulledBranches = 'refs/heads/moat/'

/** A clone with `branch` checked out, which begins at HEAD if it is new; default: what is checked out in the repository. */
export async function makeClone(repository: Repository, branch: string | undefined): Promise<MadeClone> {
  const { place } = repository
  await assertWhole(place)
  const start = await startAt(repository, branch)
  const directory = await makeOwnDirectory('clone-')
  const remove = () => rm(directory, { force: true, recursive: true })
  try {
    const refs = await wantedRefs(place, start)
    const config = await cloneConfig(place)
    await initialize(directory, config)
    await packCommits(repositoryAt(place.commonDir), [start.commit, ...refs.map(({ id }) => id)], [], {
      base: join(directory, '.git/objects/pack/pack'),
    })
    await keepShallow(place, directory)
    await writeRefs(directory, refs, start)
    await gitIn(directory, ['reset', '--quiet', '--hard', '--no-recurse-submodules'])
    return { directory, notes: await notesOn(place, directory, start), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

interface CloneStart {
  /** Undefined for a detached HEAD. */
  branch?: string
  commit: string
}

interface Ref {
  id: string
  name: string
}

/** An agent of a main checkout can have the repository borrow another one's objects, and the clone would bring them along. */
async function assertWhole(place: GitPlace): Promise<void> {
  const file = join(place.commonDir, 'objects/info/alternates')
  const borrows = await lstat(file).catch(() => undefined)
  if (!borrows) return
  throw new MoatError('CLONE_FAILED', `The repository borrows objects from another one, so it is not cloned.`, {
    exit: exitCodes.usage,
    suggestions: [`${gitCommand(place)} repack -a -d && rm ${shellQuote(file)}`],
  })
}

async function startAt(repository: Repository, branch: string | undefined): Promise<CloneStart> {
  const { place, topLevel } = repository
  if (branch !== undefined) {
    const { commit, from } = await startOf(repository, branch)
    return { branch, commit: commit ?? (await git(place, ['rev-parse', '--verify', `refs/heads/${from}^{commit}`])) }
  }
  const [head, current] = await Promise.all([
    askGit(place, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    checkedOutBranch(place),
  ])
  if (head.code !== 0) {
    throw new MoatError('NO_COMMITS', `The repository ${topLevel} has no commits yet, so there is nothing to clone.`, {
      exit: exitCodes.usage,
      suggestions: [`git -C ${shellQuote(topLevel)} commit --allow-empty -m 'First commit'`],
    })
  }
  return { commit: head.stdout.trim(), ...(current !== undefined && { branch: current }) }
}

async function wantedRefs(place: GitPlace, { branch, commit }: CloneStart): Promise<Ref[]> {
  const query = ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags']
  const refs = (await git(place, query)).split('\n').flatMap((line): Ref[] => {
    const [id = '', name = ''] = line.split(' ')
    return name === '' || name.startsWith(pulledBranches) ? [] : [{ id, name }]
  })
  const own = `refs/heads/${branch}`
  return branch === undefined || refs.some(({ name }) => name === own) ? refs : [...refs, { id: commit, name: own }]
}

/** Of the repository's own: where it came from, and how its objects are named. */
async function cloneConfig(place: GitPlace): Promise<ConfigEntry[]> {
  const entries = await allowedConfig(place)
  const format = entries.findLast(({ key }) => key === 'extensions.objectformat')?.value
  const url = entries.find(({ key }) => key === 'remote.origin.url')?.value
  const origin = url === undefined ? undefined : withoutCredentials(url)
  return [
    { key: 'core.repositoryformatversion', value: format === undefined ? '0' : '1' },
    { key: 'core.bare', value: 'false' },
    { key: 'core.filemode', value: 'true' },
    { key: 'core.logallrefupdates', value: 'true' },
    ...(format === undefined ? [] : [{ key: 'extensions.objectformat', value: format }]),
    ...(origin === undefined
      ? []
      : [
          { key: 'remote.origin.url', value: origin },
          { key: 'remote.origin.fetch', value: '+refs/heads/*:refs/remotes/origin/*' },
        ]),
  ]
}

async function initialize(directory: string, config: readonly ConfigEntry[]): Promise<void> {
  const format = config.find(({ key }) => key === 'extensions.objectformat')?.value ?? 'sha1'
  await gitIn(directory, ['init', '--quiet', '--template=', `--object-format=${format}`])
  // Not what git has found out of this machine's file system: the clone is to lie on the engine's.
  await writeFile(join(directory, '.git/config'), configText(config))
}

async function keepShallow({ commonDir }: GitPlace, directory: string): Promise<void> {
  const file = join(commonDir, 'shallow')
  const entry = await lstat(file).catch(() => undefined)
  if (!entry?.isFile() || entry.size > 16 * 1024 * 1024) return
  const copy = join(directory, '.git/shallow')
  await copyFile(file, copy)
  if (!/^([0-9a-f]{40,64}\n)*$/.test(await readFile(copy, 'utf8'))) await rm(copy)
}

async function writeRefs(directory: string, refs: readonly Ref[], { branch, commit }: CloneStart): Promise<void> {
  const lines = refs.map(({ id, name }) => `create ${name} ${id}\n`)
  await gitIn(directory, ['update-ref', '--stdin'], lines.join(''))
  await gitIn(
    directory,
    branch === undefined
      ? ['update-ref', '--no-deref', 'HEAD', commit]
      : ['symbolic-ref', 'HEAD', `refs/heads/${branch}`],
  )
}

async function notesOn(place: GitPlace, directory: string, { branch, commit }: CloneStart): Promise<string[]> {
  const status = await git(place, ['status', '--porcelain', '-z', '--no-renames', '--ignore-submodules=all'])
  const changes = status.split('\0').filter((entry) => entry !== '').length
  const where = place.root ?? place.commonDir
  const at = branch === undefined ? `a detached HEAD (${commit.slice(0, 8)})` : `${branch} (${commit.slice(0, 8)})`
  const submodules = await access(join(directory, '.gitmodules')).then(
    () => true,
    () => false,
  )
  return [
    `The agent works in a clone of ${where}, on ${at}.`,
    ...(changes === 0
      ? []
      : [
          `${changes === 1 ? '1 uncommitted change' : `${changes} uncommitted changes`} in ${where} ${changes === 1 ? 'is' : 'are'} not in the clone, which begins at the commit.`,
        ]),
    ...(submodules ? ['This repository has submodules, whose files are not in the clone.'] : []),
  ]
}

/** With nobody's settings: no filter of the user's runs for what is checked out here. */
async function gitIn(directory: string, args: readonly string[], input = ''): Promise<void> {
  const gitDir = join(directory, '.git')
  const outcome = await startGit([...carefulSettings, ...args], {
    directory,
    env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_DIR: gitDir, GIT_WORK_TREE: directory },
    input: Buffer.from(input),
  })
  if (outcome.code !== 0) throw gitFailed({ commonDir: gitDir, gitDir, root: directory }, outcome)
}
