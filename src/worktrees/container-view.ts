// Owns what git in a container is given in place of a repository's own common directory: links to what is the repository's, and a
// config of its own. Host's git reads none of it.
import { createHash, randomUUID } from 'node:crypto'
import { copyFile, lstat, mkdir, readlink, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { readConfigAt } from './read-git-file.js'

/** The repository as git in the container sees it. */
export const view = '/var/lib/moat/git'
/** What of it git may write, or lock, there. */
export const locks = '/var/lib/moat/git-locks'

/** Where moat keeps the container's view of a repository, by the directory that git has for the checkout. */
export function viewDirectory(home: string, gitDir: string): string {
  return join(home, 'git', createHash('sha256').update(gitDir).digest('hex').slice(0, 16))
}

/**
 * A copy for the container to change: installers of hooks set `core.hooksPath`, `git push -u` sets a branch's upstream, and they fail
 * where they cannot. It is made anew for each container. The agent can write beside it, so nothing here follows a link of its.
 */
export async function writeConfig(
  commonDir: string,
  directory: string,
  writable: string,
  prepare: (copy: string) => Promise<void> = async () => {},
): Promise<void> {
  const source = join(commonDir, 'config')
  await ensureFile(source)
  const next = join(directory, `config.${process.pid}`)
  // As text: a link that an agent has put there meanwhile gives it nothing.
  await writeFile(next, readConfigAt(source).text)
  await prepare(next)
  // What the container's is compared with at the end.
  await copyFile(next, join(directory, 'config.start'))
  for (const name of ['config', 'config.lock']) await clear(join(writable, name))
  await rename(next, join(writable, 'config'))
}

/** Replaced at once, as another container of this checkout may be using it. */
export async function link(target: string, path: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return
  const next = `${path}.${randomUUID()}`
  await symlink(target, next)
  if ((await lstat(path).catch(() => undefined))?.isDirectory()) await clear(path)
  await rename(next, path)
}

/**
 * Makes room where an agent can write, even now. A directory is not emptied: what is in it may be another one's by the time it is
 * removed. It goes to moat's own directory, one further up, and stays there.
 */
async function clear(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    await rename(path, join(dirname(dirname(path)), `aside-${randomUUID()}`))
  }
}

export async function ensureDirectory(path: string): Promise<void> {
  await mkdir(path).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error
  })
  await assertReal(path)
}

export async function ensureFile(path: string, text = ''): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error
  })
  await assertReal(path)
}

/** An agent can write here: a link it left would be followed by the mount, to any place on the host. */
export async function assertReal(path: string): Promise<void> {
  if (!(await lstat(path)).isSymbolicLink()) return
  throw new MoatError(
    'WORKTREE_BROKEN',
    `${path} is a symbolic link, so it is not given to an agent as ${basename(path)}.`,
    {
      exit: exitCodes.usage,
      suggestions: [`ls -l ${shellQuote(path)}`],
    },
  )
}
