// Owns whose a repository may be: git works in no repository of another user, and being told where it is no longer asks.
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { hostUser } from '../config/invoking-user.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { type GitPlace, mainDirectory } from './git-place.js'
import { startGit } from './start-git.js'

/** Throws GIT_FAILED for a repository of another user that `safe.directory` of this one's settings does not name. */
export async function assertOwned({ commonDir, gitDir, root }: GitPlace): Promise<void> {
  const { uid } = hostUser()
  const paths = [commonDir, gitDir, ...(root === undefined ? [] : [root, join(root, '.git')])]
  const owners = await Promise.all(paths.map(async (path) => (await lstat(path)).uid))
  // No user ids: Windows.
  if (process.geteuid === undefined || owners.every((owner) => owner === uid)) return
  const directory = root ?? mainDirectory(commonDir)
  const outcome = await startGit(['config', '--null', '--type=path', '--get-all', 'safe.directory'], {
    directory: '/',
    env: { GIT_DIR: '/nonexistent' },
  })
  const named = outcome.stdout.split('\0')
  // An empty one takes back what was named before it.
  const safe = named.slice(named.lastIndexOf('', named.length - 2) + 1)
  const covers = (name: string) => name === '*' || name === directory || name === commonDir || isBelow(directory, name)
  if (safe.some(covers)) return
  throw new MoatError('GIT_FAILED', `The repository ${directory} is another user's, so git does not work in it.`, {
    suggestions: [`git config --global --add safe.directory ${shellQuote(directory)}`],
  })
}

/** `/srv/*` names all below it. */
function isBelow(directory: string, name: string): boolean {
  return name.endsWith('/*') && directory.startsWith(name.slice(0, -1))
}
