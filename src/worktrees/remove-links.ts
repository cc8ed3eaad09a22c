// Owns finding symbolic links where an agent could write of git's own files, and removing those that are not its user's: a later git
// on the host would write through them, the message of a commit or a line of a log, to any file of its user's.
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { rawName, systemName, textName } from '../config/raw-name.js'
import { systemCode } from '../errors.js'
import type { GitPlace } from './git-place.js'

export interface GitLink {
  path: string
  /** As it stands in the link. */
  target: string
}

/** Of a directory of git, what no container can write, is not git's, or its user may have made a link. */
const others = new Set([
  ...['HEAD', 'commondir', 'config', 'config.worktree', 'gitdir'],
  ...['annex', 'branches', 'hooks', 'info', 'lfs', 'modules', 'remotes', 'rr-cache', 'worktrees'],
])
/** Of the repository, what the containers of its worktrees can write. */
const shared = ['logs', 'objects', 'refs', 'reftable']
/** People keep packs elsewhere; git replaces such a link as a whole, and never writes through it. */
const pack = /\/objects\/pack\/pack-[0-9a-f]+\.(bitmap|idx|pack|rev)$/
/** What git can reach: a path has 4,096 bytes at most, and a directory takes two of them. */
const mostLevels = 2_048

/** Those there are. */
export function listLinks(place: GitPlace): Promise<GitLink[]> {
  const found: GitLink[] = []
  return visit(place, found, { closed: () => {}, link: async (link) => void found.push(link) })
}

/**
 * Removes those that are not `known`; which. Follows none, whatever is put in place of a directory meanwhile. `closed` hears of
 * directories that cannot be looked into.
 */
export function removeLinks(
  place: GitPlace,
  known: (link: GitLink) => boolean,
  closed: (path: string) => void = () => {},
): Promise<GitLink[]> {
  const found: GitLink[] = []
  return visit(place, found, {
    closed,
    link: async (link, reached) => {
      if (!known(link) && (await isUnlinked(reached))) found.push(link)
    },
  })
}

interface Visitor {
  closed(path: string): void
  /** Of a link, which is at `reached` by way of an open directory. */
  link(link: GitLink, reached: Buffer | string): Promise<void>
}

async function visit({ commonDir, gitDir }: GitPlace, found: GitLink[], visitor: Visitor): Promise<GitLink[]> {
  await sweep(gitDir, gitDir, visitor, others)
  if (gitDir !== commonDir)
    for (const name of shared) await sweep(join(commonDir, name), join(commonDir, name), visitor)
  return found.toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

/** `path` is what `shown` is reached by. A branch may be called what is no UTF-8, and an agent may call anything so. */
async function sweep(
  path: Buffer | string,
  shown: string,
  visitor: Visitor,
  skipped = new Set(),
  level = 0,
): Promise<void> {
  const handle = await openDirectory(path, () => visitor.closed(shown))
  if (!handle) return
  try {
    const directory = pathTo(handle, shown)
    for (const entry of await readdir(directory, { encoding: 'latin1', withFileTypes: true })) {
      // Emacs locks a file by such a link beside it; git writes to no such name.
      if (skipped.has(entry.name) || entry.name.startsWith('.#')) continue
      const [inner, name] = [systemName(`${rawName(directory)}/${entry.name}`), join(shown, textName(entry.name))]
      if (pack.test(name)) continue
      if (entry.isDirectory() && level < mostLevels) await sweep(inner, name, visitor, new Set(), level + 1)
      const target = entry.isSymbolicLink() ? await readLink(inner) : undefined
      if (target !== undefined) await visitor.link({ path: name, target }, inner)
    }
  } finally {
    await handle.close()
  }
}

function readLink(path: Buffer | string): Promise<string | undefined> {
  return readlink(path, { encoding: 'latin1' }).then(textName, () => undefined)
}

function isUnlinked(path: Buffer | string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    () => false,
  )
}

/** Undefined for what is none, or no more, and for one that is closed: it may have anything in it. */
async function openDirectory(path: Buffer | string, closed: () => void): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (!['ELOOP', 'ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) closed()
    return undefined
  }
}

/** By way of the open directory where the system has one: what lies at its path by now is not asked. */
function pathTo({ fd }: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}` : path
}
