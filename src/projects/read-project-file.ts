// Owns reading files of a project, which an agent may have written.
import { OutsideError, openInside } from '../config/open-inside.js'
import { systemCode } from '../errors.js'
import type { ReadProjectFile } from './project.js'

/** Bytes; files that are read for their first lines only may be large. */
const mostBytes = 64 * 1024 * 1024

/** Reads files of the project in `directory`. What a link leads to outside of it is no part of it, and what is no plain file says nothing. */
export function projectFiles(directory: string, most = mostBytes): ReadProjectFile {
  return async (name) => {
    const handle = await openInside(directory, name).catch((error) => {
      if (error instanceof OutsideError || ['ELOOP', 'ENOTDIR', 'ENXIO'].includes(systemCode(error) ?? ''))
        return undefined
      throw error
    })
    if (!handle) return undefined
    try {
      const stats = await handle.stat()
      return stats.isFile() && stats.size <= most ? decode(await handle.readFile()) : undefined
    } finally {
      await handle.close()
    }
  }
}

/** Editors on Windows begin files with a mark, and PowerShell writes UTF-16. */
function decode(bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}
