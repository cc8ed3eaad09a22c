// Owns git inside the container of a main checkout, or a bare repository: what of its directory an agent cannot change.
//
// git keeps this checkout's HEAD and index in the repository's own directory and replaces them there, so that directory is
// writable, and whatever in it makes git run programs is covered. What can be covered has to be there. The container's git takes config
// from elsewhere, by way of `commondir`, so that it has one to write: docs/decisions/0024.
import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Mount } from '../config/mount.js'
import { contains } from '../config/real-path.js'
import { replaceFile } from '../config/replace-file.js'
import {
  assertReal,
  ensureDirectory,
  ensureFile,
  link,
  locks,
  view,
  viewDirectory,
  writeConfig,
} from './container-view.js'
import type { GitPlace } from './git-place.js'
import { ownHooks } from './own-hooks.js'
import { readConfigAt } from './read-git-file.js'
import { dangerousConfig, ownWorktree } from './repository-config.js'
import { startGit } from './start-git.js'

const workspace = '/workspace'
/** What git and Git LFS write; other directories in there are covered. */
const written = new Set([
  'lfs',
  'logs',
  'objects',
  'rebase-apply',
  'rebase-merge',
  'refs',
  'reftable',
  'rr-cache',
  'sequencer',
])
/** Made where absent, or an agent could make them. */
const covered = ['branches', 'hooks', 'info', 'modules', 'remotes', 'worktrees']
/**
 * Mounts of their own, so that nobody inside puts others in their place: a linked worktree is given the same ones, and while the engine
 * follows the paths to them, agents that could would have to be held still.
 */
const kept = ['objects', 'refs', 'logs', 'logs/refs']
const keptIfThere = ['lfs', 'reftable']

/** What the container's common directory is made of, besides a config of its own: links to the repository's, there or not. */
const linked = [
  'branches',
  'description',
  'gc.pid',
  'hooks',
  'info',
  'lfs',
  'logs',
  'modules',
  'objects',
  'packed-refs',
  'refs',
  'reftable',
  'remotes',
  'rr-cache',
  'shallow',
]
/** What stays in `worktrees`. */
const keeper = 'moat-keeps'

/** What this checkout is among the worktrees that the container's git knows. */
const ownId = 'moat-main-checkout'

/** The mounts that make git work in `/workspace`, which the checkout or bare repository is mounted at. */
export async function shareMainCheckout(place: GitPlace, home: string): Promise<Mount[]> {
  const { commonDir, root } = place
  const own = viewDirectory(home, commonDir)
  await mkdir(own, { mode: 0o700, recursive: true })
  if (root === undefined) return covers(place, workspace, own)
  if ((await lstat(join(root, '.git'))).isDirectory()) {
    const target = join(workspace, '.git')
    // A mount of its own, so that `.git` cannot be renamed.
    return [{ readOnly: false, source: commonDir, target }, ...(await covers(place, target, own))]
  }
  const target = contains(root, commonDir) ? join(workspace, relative(root, commonDir)) : commonDir
  const file = join(own, 'gitfile')
  await writeFile(file, `gitdir: ${target}\n`)
  const held = [{ readOnly: true, source: file, target: join(workspace, '.git') }, ...hold(root, commonDir)]
  // A repository that says its files are elsewhere than here: git would not work in it inside.
  if (await isElsewhere(place)) {
    return [...held, ...(target === commonDir ? [] : [{ readOnly: true, source: commonDir, target }])]
  }
  return [...held, { readOnly: false, source: commonDir, target }, ...(await covers(place, target, own))]
}

/** Mounts of their own for directories between the workspace and a repository in it: one of them renamed would take it along. */
function hold(root: string, commonDir: string): Mount[] {
  if (!contains(root, dirname(commonDir)) || dirname(commonDir) === root) return []
  const source = dirname(commonDir)
  return [...hold(root, source), { readOnly: false, source, target: join(workspace, relative(root, source)) }]
}

async function covers(place: GitPlace, target: string, own: string): Promise<Mount[]> {
  const { commonDir, root } = place
  for (const name of covered) await ensureDirectory(join(commonDir, name))
  // git removes `worktrees` with the last of them, and the mount would go with it. This is none to git, and its lock keeps it.
  await ensureDirectory(join(commonDir, 'worktrees', keeper))
  await ensureFile(
    join(commonDir, 'worktrees', keeper, 'locked'),
    'moat keeps this directory for the mounts of containers\n',
  )
  for (const name of ['config', 'config.worktree']) await ensureOnly(join(commonDir, name))
  // git follows it to another config: where it is absent an agent could make it. This one leads to where git is already.
  await ensureFile(join(commonDir, 'commondir'), '.\n')
  // The container's has to be there, and the host's git heeds none in this place.
  await ensureFile(join(commonDir, 'gitdir'), `${join(root ?? commonDir, '.git')}\n`)
  const entries = (await readdir(commonDir, { withFileTypes: true })).filter(({ name }) => isText(name))
  const directories = entries.filter(
    (entry) => entry.isDirectory() && !written.has(entry.name) && entry.name !== 'hooks',
  )
  for (const name of written) if (await exists(join(commonDir, name))) await assertReal(join(commonDir, name))
  for (const name of kept) await ensureDirectory(join(commonDir, name))
  const there = entries.filter((entry) => entry.isDirectory() && keptIfThere.includes(entry.name))
  const inside = await writeView(place, target, own)
  return [
    ...[...kept, ...there.map(({ name }) => name)].map((name) => ({
      readOnly: false,
      source: join(commonDir, name),
      target: join(target, name),
    })),
    ...['config', ...directories.map(({ name }) => name)].map((name) => ({
      readOnly: true,
      source: join(commonDir, name),
      target: join(target, name),
    })),
    { readOnly: true, source: inside.worktreeConfig, target: join(target, 'config.worktree') },
    { readOnly: true, source: inside.commonDir, target: join(target, 'commondir') },
    { readOnly: true, source: inside.gitDir, target: join(target, 'gitdir') },
    {
      readOnly: false,
      source: await ownHooks(commonDir, own, root === undefined ? [] : [root]),
      target: join(target, 'hooks'),
    },
    { readOnly: true, source: inside.view, target: view },
    { readOnly: false, source: inside.locks, target: locks },
  ]
}

/** A file of one name: by another one that an agent has given it, when it could, it would write the file that is mounted. */
async function ensureOnly(path: string): Promise<void> {
  await ensureFile(path)
  if ((await lstat(path)).nlink < 2) return
  const { mode, text } = readConfigAt(path)
  await replaceFile(path, text, mode)
}

/** Writes what the container's git takes for its common directory; `target` is where it has the repository's. */
async function writeView(place: GitPlace, target: string, own: string) {
  const inside = {
    commonDir: join(own, 'commondir'),
    gitDir: join(own, 'gitdir'),
    locks: join(own, 'locks'),
    view: join(own, 'view'),
  }
  const worktrees = join(inside.view, 'worktrees')
  for (const path of [inside.locks, worktrees]) await mkdir(path, { mode: 0o700, recursive: true })
  await writeFile(inside.commonDir, `${view}\n`)
  await writeFile(inside.gitDir, `${join(workspace, '.git')}\n`)
  for (const name of linked) await link(join(target, name), join(inside.view, name))
  // Of a main checkout that there is not: git takes this one for a linked worktree, and has it on its list.
  await writeFile(join(inside.view, 'HEAD'), `ref: refs/heads/${ownId}\n`)
  await link(target, join(worktrees, ownId))
  for (const id of await readdir(join(place.commonDir, 'worktrees')))
    await link(join(target, 'worktrees', id), join(worktrees, id))
  const isMoved = (await ownWorktree(place)) !== undefined
  await writeConfig(place.commonDir, own, inside.locks, isMoved ? forgetWorktree : undefined)
  await link(join(locks, 'config'), join(inside.view, 'config'))
  const worktreeConfig = join(place.commonDir, 'config.worktree')
  if (!isMoved) return { ...inside, worktreeConfig }
  const copy = join(own, 'config.worktree')
  await writeFile(copy, readConfigAt(worktreeConfig).text)
  await forgetWorktree(copy)
  return { ...inside, worktreeConfig: copy }
}

/** A submodule's config says where its files are on the host, which is not inside. Either of its two files may. */
async function forgetWorktree(copy: string): Promise<void> {
  const env = { GIT_DIR: '/nonexistent' }
  await startGit(['config', '--file', copy, '--unset-all', 'core.worktree'], { directory: '/', env })
}

/** A config may name another place for its files than the one they are given to the agent from. */
async function isElsewhere(place: GitPlace): Promise<boolean> {
  return (await dangerousConfig(place)).some(({ key }) => key === 'core.worktree')
}

/** An engine can be told of no other name; git has none. */
function isText(name: string): boolean {
  return !name.includes('\ufffd')
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}
