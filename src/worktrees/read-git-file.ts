// Owns reading git's own small files, which an agent may have replaced by anything: no pipe is waited for, nothing large is read.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { pathOfHandle, readWhole } from '../config/open-inside.js'

/** A path, or the name of a reference. Bytes. */
const most = 64 * 1024
/** A person's config has a few kilobytes. */
const mostOfConfig = 4 * 1024 * 1024

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

/** A config that lies at this real path, and nowhere that a link has put in its place meanwhile leads to. */
export async function readConfigAt(path: string): Promise<{ mode: number; text: Buffer }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if ((await pathOfHandle(handle, path)) !== path) throw new Error(`${path} is not where it was`)
    return { mode: (await handle.stat()).mode & 0o777, text: await readWhole(handle, mostOfConfig) }
  } finally {
    await handle.close()
  }
}
