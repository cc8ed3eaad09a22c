// Owns the key with which moat seals the containers it makes: 32 random bytes in a file that is this user's alone.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hostUser } from '../config/invoking-user.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'

const keyLength = 32
/** Never through a link to somebody else's file; never waiting for the other end of a pipe. */
const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Undefined when there is none. Rejects with SEAL_KEY when it is no key, or may be another user's as well. */
export async function readSealKey(file: string, user: { uid: number } = hostUser()): Promise<Buffer | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, reading)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    if (systemCode(error) === 'ELOOP') throw refused(file, 'is a symbolic link', [`rm ${shellQuote(file)}`])
    // Another user's lets itself be looked at, if not read.
    const stats = await lstat(file).catch(() => undefined)
    if (stats && stats.uid !== user.uid) throw foreign(file, stats.uid, user.uid)
    throw refused(file, `cannot be read (${systemCode(error)})`, [`chmod 600 ${shellQuote(file)}`], error)
  }
  try {
    const stats = await handle.stat()
    const quoted = shellQuote(file)
    if (!stats.isFile()) throw refused(file, 'is not a file', [`rm -r ${quoted}`])
    if (stats.uid !== user.uid) throw foreign(file, stats.uid, user.uid)
    if ((stats.mode & 0o077) !== 0) {
      const mode = (stats.mode & 0o777).toString(8)
      throw refused(file, `can be reached by other users (mode ${mode})`, [`chmod 600 ${quoted}`, forget(quoted)])
    }
    const key = Buffer.alloc(keyLength + 1)
    const { bytesRead } = await handle.read(key, 0, key.length, 0)
    if (bytesRead !== keyLength) throw refused(file, `does not have ${keyLength} bytes`, [forget(quoted)])
    return key.subarray(0, keyLength)
  } finally {
    await handle.close()
  }
}

/** The key, made if there is none: of several that make one at the same time, all get the one that was first in place. */
export async function ensureSealKey(file: string): Promise<Buffer> {
  const existing = await readSealKey(file)
  if (existing) return existing
  await mkdir(dirname(file), { mode: 0o700, recursive: true })
  const draft = `${file}-${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(randomBytes(keyLength))
      await handle.sync()
    } finally {
      await handle.close()
    }
    // Whole or not at all, and never over another one.
    await link(draft, file).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
  const key = await readSealKey(file)
  if (!key) throw refused(file, 'was removed while it was being made', ['moat doctor'])
  return key
}

function forget(quoted: string): string {
  return `rm ${quoted}   # agents that run now are then no longer moat's`
}

function foreign(file: string, owner: number, user: number): MoatError {
  return refused(file, `belongs to another user (uid ${owner})`, [`sudo chown ${user} ${shellQuote(file)}`])
}

function refused(file: string, reason: string, suggestions: string[], cause?: unknown): MoatError {
  return new MoatError('SEAL_KEY', `The key by which moat knows its own containers, ${file}, ${reason}.`, {
    cause,
    suggestions,
  })
}
