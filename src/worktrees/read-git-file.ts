// Owns reading git's own small files, which an agent may have replaced by anything: no pipe is waited for, nothing large is read.
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { readWhole } from '../config/open-inside.js'

/** A path, or the name of a reference. Bytes. */
const most = 64 * 1024
/** A person's config has a few kilobytes. */
const mostOfConfig = 4 * 1024 * 1024

const plainOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

export interface GitConfigText {
  mode: number
  text: Buffer
}

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

/** A config that lies at this real path, and nowhere that a link has put in its place meanwhile leads to; at once. */
export function readConfigAt(path: string): GitConfigText {
  const descriptor = openSync(path, plainOnly)
  try {
    if (actualPath(descriptor, path) !== path) throw new Error(`${path} is not where it was`)
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new Error(`${path} is not a plain file`)
    if (stats.size > mostOfConfig) throw new Error(`${path} has more than ${mostOfConfig} bytes`)
    return { mode: stats.mode & 0o777, text: readFileSync(descriptor) }
  } finally {
    closeSync(descriptor)
  }
}

function actualPath(descriptor: number, path: string): string {
  return process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${descriptor}`) : realpathSync(path)
}
