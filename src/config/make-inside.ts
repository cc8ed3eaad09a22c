// Owns making directories in one that others write: each on the way is opened by itself, and no link is followed.
import { closeSync, constants, fchownSync, mkdirSync, openSync } from 'node:fs'
import { join, sep } from 'node:path'
import { systemCode } from '../errors.js'
import { hostUser } from './invoking-user.js'

const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** `missing` only where nothing is to be made. */
export type InsideProblem = 'missing' | 'no directory'

/**
 * Sees to it that `path`, relative to the real path `root`, is a directory. What is made belongs to the invoking user. Anything but
 * a directory on the way, a link for instance, is left as it is and told.
 */
export function makeInside(root: string, path: string, { make = true } = {}): InsideProblem | undefined {
  let at = { fd: openSync(root, flags), path: root }
  try {
    for (const name of path.split(sep).filter((part) => part !== '')) {
      const next = enter(at, name, make)
      if (typeof next === 'string') return next
      closeSync(at.fd)
      at = next
    }
    return undefined
  } finally {
    closeSync(at.fd)
  }
}

function enter(at: { fd: number; path: string }, name: string, make: boolean) {
  const path = join(at.path, name)
  // By what was opened: whatever is put in the place of a directory meanwhile changes nothing. macOS has no such name for it.
  const word = process.platform === 'linux' ? `/proc/self/fd/${at.fd}/${name}` : path
  for (let isNew = false; ; isNew = true) {
    try {
      const fd = openSync(word, flags)
      if (isNew) giveToUser(fd)
      return { fd, path }
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOTDIR' || code === 'ELOOP') return 'no directory' as const
      if (code !== 'ENOENT') throw error
      if (!make || isNew) return 'missing' as const
    }
    mkdirSync(word)
  }
}

function giveToUser(fd: number): void {
  const { gid, uid } = hostUser()
  if (process.getuid?.() === 0 && uid !== 0) fchownSync(fd, uid, gid)
}
