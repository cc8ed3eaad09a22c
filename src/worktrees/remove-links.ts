// Owns finding symbolic links where an agent could write of git's own files, and removing those that are not its user's: a later git
// on the host would write through them, the message of a commit or a line of a log, to any file of its user's.
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
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
/** Deeper down git has nothing of its own. */
const mostLevels = 32

/** Those there are. */
export function listLinks(place: GitPlace): Promise<GitLink[]> {
  return visit(place, async () => true)
}

/** Removes those that are not `known`; which. Follows none, whatever is put in place of a directory meanwhile. */
export function removeLinks(place: GitPlace, known: (link: GitLink) => boolean): Promise<GitLink[]> {
  return visit(place, async (link, reached) => !known(link) && (await isUnlinked(reached)))
}

/** Whether to report the link, which is at `reached` by way of an open directory. */
type Visitor = (link: GitLink, reached: string) => Promise<boolean>

async function visit({ commonDir, gitDir }: GitPlace, visitor: Visitor): Promise<GitLink[]> {
  const found: GitLink[] = []
  const chosen: Visitor = async (link, reached) => {
    const isOne = await visitor(link, reached)
    if (isOne) found.push(link)
    return isOne
  }
  await sweep(gitDir, gitDir, chosen, others)
  if (gitDir !== commonDir) for (const name of shared) await sweep(join(commonDir, name), join(commonDir, name), chosen)
  return found.toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

/** `path` is what `shown` is reached by. */
async function sweep(path: string, shown: string, visitor: Visitor, skipped = new Set(), level = 0): Promise<void> {
  const handle = await openDirectory(path)
  if (!handle) return
  try {
    const directory = pathTo(handle, path)
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      // Emacs locks a file by such a link beside it; git writes to no such name.
      if (skipped.has(entry.name) || entry.name.startsWith('.#')) continue
      const [inner, name] = [join(directory, entry.name), join(shown, entry.name)]
      if (pack.test(name)) continue
      if (entry.isDirectory() && level < mostLevels) await sweep(inner, name, visitor, new Set(), level + 1)
      const target = entry.isSymbolicLink() ? await readlink(inner).catch(() => undefined) : undefined
      if (target !== undefined) await visitor({ path: name, target }, inner)
    }
  } finally {
    await handle.close()
  }
}

function isUnlinked(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    () => false,
  )
}

async function openDirectory(path: string): Promise<FileHandle | undefined> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(() => undefined)
}

/** By way of the open directory where the system has one: what lies at its path by now is not asked. */
function pathTo({ fd }: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}` : path
}
