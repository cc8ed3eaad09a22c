// Owns reading git's own small files, which an agent may have replaced by anything: no pipe is waited for, nothing large is read.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { readWhole } from '../config/open-inside.js'

/** A path, or the name of a reference. Bytes. */
const most = 64 * 1024

/** Undefined for what is not there, is no plain file, or is none of git's. */
export async function readGitFile(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  try {
    return handle && (await readWhole(handle, most)).toString()
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
