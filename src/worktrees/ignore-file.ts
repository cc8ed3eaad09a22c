// Owns reading the patterns of a directory, and other files of it: no link is followed, no pipe waited for, nothing read without end.
import { closeSync, fstatSync, readSync, type Stats } from 'node:fs'
import type { HeldDirectory } from '../config/held-directory.js'

/** Bytes of a file with patterns. */
const mostPatterns = 1024 * 1024

/** The patterns of a directory, raw; none where they are no plain file, as git has it. */
export function ownPatterns(held: HeldDirectory): string {
  try {
    return readPlain(held, '.gitignore', mostPatterns)?.content.toString('latin1') ?? ''
  } catch {
    return ''
  }
}

/** Undefined for what is no plain file, or has more than `most` bytes. `stats` are from before it is read. */
export function readPlain(
  held: HeldDirectory,
  name: string,
  most: number = Number.POSITIVE_INFINITY,
): { content: Buffer; stats: Stats } | undefined {
  const file = held.openFile(name)
  try {
    // What is written while it is read has a later time than these.
    const stats = fstatSync(file)
    return stats.isFile() && stats.size <= most ? { content: readBytes(file, stats.size), stats } : undefined
  } finally {
    closeSync(file)
  }
}

/** No more than there were: somebody may write on for ever. */
function readBytes(file: number, size: number): Buffer {
  const content = Buffer.allocUnsafe(size)
  let length = 0
  for (let read = -1; read !== 0 && length < size; length += read) {
    read = readSync(file, content, length, size - length, null)
  }
  return content.subarray(0, length)
}
