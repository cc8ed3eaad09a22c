// Owns that no symbolic link stays where an agent could write of git's own files: git makes none there, and a later git on the host
// would write through it, the message of a commit or a line of a log, to any file of its user's.
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { GitPlace } from './git-place.js'

/** Of a directory of git, what no container can write, is not git's, or its user may have made a link. */
const others = new Set([
  ...['HEAD', 'commondir', 'config', 'config.worktree', 'gitdir'],
  ...['annex', 'hooks', 'info', 'lfs', 'modules', 'rr-cache', 'worktrees'],
])
/** Of the repository, what the containers of its worktrees can write. */
const shared = ['logs', 'objects', 'refs', 'reftable']
/** Deeper down git has nothing of its own. */
const mostLevels = 32

/** Removes them; their paths. Follows none, whatever is put in place of a directory meanwhile. */
export async function removeLinks({ commonDir, gitDir }: GitPlace): Promise<string[]> {
  const removed: string[] = []
  await sweep(gitDir, gitDir, removed, others)
  if (gitDir !== commonDir)
    for (const name of shared) await sweep(join(commonDir, name), join(commonDir, name), removed)
  return removed.toSorted()
}

/** `path` is what `shown` is reached by. */
async function sweep(path: string, shown: string, removed: string[], skipped = new Set(), level = 0): Promise<void> {
  const handle = await openDirectory(path)
  if (!handle) return
  try {
    const directory = pathTo(handle, path)
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue
      const [inner, name] = [join(directory, entry.name), join(shown, entry.name)]
      if (entry.isDirectory() && level < mostLevels) await sweep(inner, name, removed, new Set(), level + 1)
      if (entry.isSymbolicLink() && (await isUnlinked(inner))) removed.push(name)
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
