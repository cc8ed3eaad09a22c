// Owns git inside the container of a main checkout, or a bare repository: what of its directory an agent cannot change.
//
// git keeps this checkout's HEAD and index in the repository's own directory and replaces them there, so that directory is
// writable, and whatever in it makes git run programs is covered. What can be covered has to be there: docs/decisions/0024.
import { copyFile, lstat, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '../config/mount.js'
import type { GitPlace } from './git-place.js'
import { ownHooks } from './own-hooks.js'
import { dangerousConfig, ownWorktree } from './repository-config.js'
import { assertReal, ensureDirectory, ensureFile, viewDirectory } from './share-repository.js'
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
const covered = ['hooks', 'info', 'modules', 'worktrees']

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
  const file = join(own, 'gitfile')
  await writeFile(file, `gitdir: ${commonDir}\n`)
  const held = { readOnly: true, source: file, target: join(workspace, '.git') }
  // A repository that says its files are elsewhere than here: git would not work in it inside.
  if (await isElsewhere(place)) return [held]
  return [held, { readOnly: false, source: commonDir, target: commonDir }, ...(await covers(place, commonDir, own))]
}

async function covers(place: GitPlace, target: string, own: string): Promise<Mount[]> {
  const { commonDir } = place
  for (const name of covered) await ensureDirectory(join(commonDir, name))
  await ensureFile(join(commonDir, 'config'))
  await ensureFile(join(commonDir, 'config.worktree'))
  // git follows it to another config: where it is absent an agent could make it. This one leads to where git is already.
  await ensureFile(join(commonDir, 'commondir'), '.\n')
  const entries = await readdir(commonDir, { withFileTypes: true })
  const directories = entries.filter(
    (entry) => entry.isDirectory() && !written.has(entry.name) && entry.name !== 'hooks',
  )
  for (const name of written) if (await exists(join(commonDir, name))) await assertReal(join(commonDir, name))
  const fixed = ['commondir', 'config', 'config.worktree', ...directories.map(({ name }) => name)]
  return [
    ...(await Promise.all(
      fixed.map(async (name) => {
        const source = name.startsWith('config') ? await configInside(place, name, own) : join(commonDir, name)
        return { readOnly: true, source, target: join(target, name) }
      }),
    )),
    { readOnly: false, source: await ownHooks(commonDir, own), target: join(target, 'hooks') },
  ]
}

/** The file of config, or a copy without what a submodule's says of where its files are: on the host, which is not inside. */
async function configInside(place: GitPlace, name: string, own: string): Promise<string> {
  const file = join(place.commonDir, name)
  if ((await ownWorktree(place)) === undefined) return file
  const copy = join(own, name)
  await copyFile(file, copy)
  // Fails where the other of the two files has it.
  const env = { GIT_DIR: '/nonexistent' }
  await startGit(['config', '--file', copy, '--unset-all', 'core.worktree'], { directory: own, env })
  return copy
}

/** A config may name another place for its files than the one they are given to the agent from. */
async function isElsewhere(place: GitPlace): Promise<boolean> {
  return (await dangerousConfig(place)).some(({ key }) => key === 'core.worktree')
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}
