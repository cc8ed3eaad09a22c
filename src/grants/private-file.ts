// Owns reading what only this user may read or have written. Neither a link is followed nor a pipe waited for.
import { constants } from 'node:fs'
import { lstat, mkdir, open } from 'node:fs/promises'
import { hostUser } from '../config/invoking-user.js'
import { displayPath } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'

/** Bytes; a grant is some hundreds. */
const mostBytes = 1024 * 1024

/** Undefined for a file that is not there. Throws GRANTS_BROKEN for one that cannot be relied on. */
export async function readPrivately(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined
    const reason = systemCode(error) === 'ELOOP' ? 'it is a symbolic link' : `it cannot be read (${systemCode(error)})`
    throw broken(file, reason, `rm ${shellQuote(file)}`, error)
  })
  if (!handle) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size > mostBytes)
      throw broken(file, 'it is not what moat wrote', `rm -r ${shellQuote(file)}`)
    assertPrivate(file, stats, '600')
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** False when there is none. Throws when somebody else could have put files there. */
export async function isSafeDirectory(directory: string): Promise<boolean> {
  const stats = await lstat(directory).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (!stats) return false
  if (!stats.isDirectory()) {
    const what = stats.isSymbolicLink() ? 'a symbolic link' : 'not a directory'
    throw broken(directory, `it is ${what}`, `rm ${shellQuote(directory)}`)
  }
  assertPrivate(directory, stats, '700')
  return true
}

export async function makeSafeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700, recursive: true })
  await isSafeDirectory(directory)
}

function assertPrivate(path: string, { mode, uid }: { mode: number; uid: number }, wanted: string): void {
  const user = hostUser().uid
  if (uid !== user) throw broken(path, 'it belongs to another user', `sudo chown ${user} ${shellQuote(path)}`)
  if ((mode & 0o077) === 0) return
  const octal = (mode & 0o777).toString(8)
  throw broken(path, `other users can reach it (mode ${octal})`, `chmod ${wanted} ${shellQuote(path)}`)
}

export function broken(path: string, reason: string, fix: string | string[], cause?: unknown): MoatError {
  const message = `Your grants in ${displayPath(path)} cannot be relied on: ${reason}.`
  return new MoatError('GRANTS_BROKEN', message, { cause, suggestions: [fix].flat() })
}
