// Owns taking a socket out of a directory that a container writes, so that the proxy can dial it without danger.
//
// `connect` follows symbolic links: where a container may put one, it leads the proxy, with this user's rights, to any socket
// of this machine. `link` does not follow them. It gives the inode another name, in a directory of ours, where nobody can
// replace it any more; what it is, is looked at there.
import { randomUUID } from 'node:crypto'
import { link, lstat, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

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

/** Gives the socket at `source` the name `target`, in place of what had it. Returns its inode. Rejects with ENOENT, NotASocketError. */
export async function linkSocket(source: string, target: string, { staging, uid }: LinkOptions): Promise<number> {
  const staged = join(staging, randomUUID())
  await link(source, staged)
  try {
    const found = await lstat(staged)
    if (!found.isSocket()) throw new NotASocketError(`${source} is not a socket`)
    if (found.uid !== uid) throw new NotASocketError(`${source} belongs to user ${found.uid}`)
    await rename(staged, target)
    return found.ino
  } finally {
    // Of two names for one inode, `rename` leaves both.
    await rm(staged, { force: true })
  }
}
