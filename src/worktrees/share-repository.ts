// Owns git inside the container of a linked worktree: what of the repository is mounted, and how.
//
// Whoever can write the repository's directory can make the host's git run programs: by its config, its hooks, or a
// `commondir` file that sends git elsewhere. So all of it is mounted read-only, with the parts a commit needs laid over
// it: objects, refs, logs and the worktree's own state. git locks `packed-refs` beside it for many things it only reads
// it for, which a read-only directory does not allow; docs/decisions/0011 says how it comes to lock elsewhere.
import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '../config/mount.js'
import { exitCodes, MoatError } from '../errors.js'
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
import type { LinkedCheckout } from './find-checkout.js'
import { mainDirectory } from './git-place.js'
import { ownHooks } from './own-hooks.js'

/** Where the worktree is in the container. */
const workspace = '/workspace'
/** What git writes: created where absent, or the host's git would make it later, unseen by the container. */
const shared = ['objects', 'refs', 'logs/refs']
/** Written too, where there is one: Git LFS, and refs in git's newer format. */
const sharedIfThere = ['lfs', 'reftable']
/** What the container's common directory is made of, besides a config of its own: links to the repository's, there or not. */
const linked = [
  'HEAD',
  'branches',
  'config.worktree',
  'hooks',
  'info',
  'logs',
  'modules',
  'objects',
  'refs',
  'remotes',
  'shallow',
  'worktrees',
]
/** git follows so many symbolic links to the file it locks, and locks what the last one names. */
const followedLinks = 5

/** The mounts that make git work in `/workspace`, which `checkout` is mounted at. `home` is the `~/.moat`. */
export async function shareRepository(checkout: LinkedCheckout, home: string): Promise<Mount[]> {
  const { adminDir, commonDir, root } = checkout
  assertOutside(commonDir)
  assertOutside(root)
  for (const name of ['hooks', 'logs', ...shared]) await ensureDirectory(join(commonDir, name))
  const extra = []
  for (const name of sharedIfThere) if (await isDirectory(join(commonDir, name))) extra.push(name)
  await assertReal(adminDir)
  // Present, so that it can be covered: the agent must not make one.
  await ensureFile(join(adminDir, 'config.worktree'))
  for (const name of ['commondir', 'gitdir']) await assertReal(join(adminDir, name))
  const own = await writeView(viewDirectory(home, adminDir), checkout, [...linked, ...extra])
  return [
    { readOnly: true, source: own.gitFile, target: join(workspace, '.git') },
    // What git keeps for the worktree names this file; where it is missing, git takes the worktree for deleted.
    { readOnly: true, source: own.gitFile, target: join(root, '.git') },
    { readOnly: true, source: commonDir, target: commonDir },
    ...[...shared, ...extra].map((name) => same(join(commonDir, name), false)),
    { readOnly: false, source: own.hooks, target: join(commonDir, 'hooks') },
    same(adminDir, false),
    { readOnly: true, source: own.commonDir, target: join(adminDir, 'commondir') },
    same(join(adminDir, 'gitdir'), true),
    same(join(adminDir, 'config.worktree'), true),
    { readOnly: true, source: own.view, target: view },
    { readOnly: false, source: own.locks, target: locks },
  ]
}

function same(path: string, isReadOnly: boolean): Mount {
  return { readOnly: isReadOnly, source: path, target: path }
}

/** Writes what the container is given instead of the repository's own files; the same every time. */
async function writeView(directory: string, { adminDir, commonDir, root }: LinkedCheckout, names: readonly string[]) {
  const own = {
    commonDir: join(directory, 'commondir'),
    gitFile: join(directory, 'gitfile'),
    hooks: await ownHooks(commonDir, directory, [root, mainDirectory(commonDir)]),
    locks: join(directory, 'locks'),
    view: join(directory, 'view'),
  }
  for (const path of [own.locks, own.view]) await mkdir(path, { mode: 0o700, recursive: true })
  await writeFile(own.commonDir, `${view}\n`)
  await writeFile(own.gitFile, `gitdir: ${adminDir}\n`)
  for (const name of names) await link(join(commonDir, name), join(own.view, name))
  await writeConfig(commonDir, directory, own.locks)
  await link(join(locks, 'config'), join(own.view, 'config'))
  const chain = ['packed-refs', ...Array.from({ length: followedLinks - 1 }, (_, index) => `packed-refs-${index + 1}`)]
  for (const [index, name] of chain.entries()) {
    await link(
      join(...(index + 1 < chain.length ? [view, chain[index + 1] ?? ''] : [locks, 'packed-refs'])),
      join(own.view, name),
    )
  }
  await link(join(commonDir, 'packed-refs'), join(own.locks, 'packed-refs'))
  // In the way of a rewritten packed-refs, which would be the container's alone: refs packed into it were lost outside.
  await ensureDirectory(join(own.locks, 'packed-refs.new'))
  return own
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false
}

function assertOutside(path: string): void {
  if (!`${path}/`.startsWith(`${workspace}/`)) return
  throw new MoatError('WORKTREE_BROKEN', `${path} lies in ${workspace}, where the container has its own workspace.`, {
    exit: exitCodes.usage,
    suggestions: [`mv <repository> <a directory outside ${workspace}>`],
  })
}
