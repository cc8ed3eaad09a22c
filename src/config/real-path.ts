// Owns real paths: where a path leads that need not exist, and which lies in which.
import { realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { systemCode } from '../errors.js'

/** The real path of what need not exist yet, through whatever of it does. */
export async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    return join(await realPlace(dirname(path)), path.slice(dirname(path).length))
  }
}

/** True when `inner` is `outer` or lies in it. Both are real paths. */
export function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`)
}
