// Owns opening what lies in a directory that others write: no link leads out of it, no pipe is waited for.
import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.js'
import { contains } from './real-path.js'

/** Thrown for a path that a symbolic link leads out of its directory. */
export class OutsideError extends Error {
  override readonly name = 'OutsideError'

  constructor(readonly target: string) {
    super(`it is a symbolic link that leads out of its directory, to ${target}`)
  }
}

/**
 * Opens what `path`, relative to the directory `root`, leads to, for reading; undefined if it is not there. That it lies in
 * `root` is made sure of after opening: what is put in its place meanwhile changes nothing. Throws OutsideError.
 */
export async function openInside(root: string, path: string): Promise<FileHandle | undefined> {
  try {
    const outer = await realpath(root)
    const file = join(outer, path)
    // Non-blocking: opening a named pipe would wait for somebody to write.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const actual = await pathOfHandle(handle, file)
      if (contains(outer, actual)) return handle
      throw new OutsideError(actual)
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Where an open file lies, which on Linux the kernel tells of the file itself, whatever its path leads to by now. */
export async function pathOfHandle(handle: FileHandle, path: string): Promise<string> {
  return process.platform === 'linux' ? readlink(`/proc/self/fd/${handle.fd}`) : realpath(path)
}

/** All of a file opened so. Throws for what is no plain file, or larger than `mostBytes`. */
export async function readWhole(handle: FileHandle, mostBytes: number): Promise<Buffer> {
  const stats = await handle.stat()
  // The system says of a directory what is wrong with reading it.
  if (!stats.isFile() && !stats.isDirectory()) throw new Error('it is not a plain file')
  if (stats.size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`)
  return handle.readFile()
}
