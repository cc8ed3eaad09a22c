// Owns taking a socket out of a directory that a container writes, so that the proxy can dial it without danger.
//
// `connect` follows symbolic links: where a container may put one, it leads the proxy, with this user's rights, to any socket
// of this machine. `link` does not follow them. It gives the inode another name, in a directory of ours, where nobody can
// replace it any more; what it is, is looked at there.
import { randomUUID } from 'node:crypto'
import { linkSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemCode } from '../errors.js'

export interface LinkOptions {
  /** A directory of this user's alone, on the same file system. */
  staging: string
  /** Who must own the socket. */
  uid: number
}

/** Thrown for what is no socket of this user's. */
export class NotASocketError extends Error {
  override readonly name = 'NotASocketError'
}

/**
 * Gives the socket at `source` these names, in place of what had them. Returns its inode. Throws ENOENT, NotASocketError. A few
 * microseconds, so it is done at once: by threads it would cost ten times as much.
 */
export function linkSocket(source: string, targets: readonly string[], { staging, uid }: LinkOptions): number {
  const staged = stage(source, staging)
  try {
    const found = lstatSync(staged)
    if (!found.isSocket()) throw new NotASocketError(`${source} is not a socket`)
    if (found.uid !== uid) throw new NotASocketError(`${source} belongs to user ${found.uid}`)
    const [last, ...others] = targets.toReversed()
    for (const target of others) place(staged, target, staging)
    if (last !== undefined) withDirectory(last, () => renameSync(staged, last))
    return found.ino
  } finally {
    remove(staged)
  }
}

function stage(source: string, staging: string): string {
  const staged = join(staging, randomUUID())
  withDirectory(staged, () => linkSync(source, staged), source)
  return staged
}

/** From here on it is ours, and nothing that a container does changes it. */
function place(staged: string, target: string, staging: string): void {
  try {
    withDirectory(target, () => linkSync(staged, target))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    const other = stage(staged, staging)
    try {
      // At no moment is there nothing.
      renameSync(other, target)
    } finally {
      remove(other)
    }
  }
}

/** Somebody may have removed the directory that a name is to be in. */
function withDirectory(path: string, action: () => void, source?: string): void {
  try {
    action()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    if (source !== undefined && !lstatSync(source, { throwIfNoEntry: false })) throw error
    mkdirSync(dirname(path), { mode: 0o700, recursive: true })
    action()
  }
}

/** Of two names for one inode, `rename` leaves both; else there is nothing left to remove. */
function remove(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) unlinkSync(path)
}
