// Owns making room for a file of moat's where something else lies.
import { lstat, rename, rm } from 'node:fs/promises'

/** A file, a link or a socket is removed; a directory may hold somebody's work and is set aside. Absent is fine. */
export async function clearPath(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory()) await rename(path, `${path}.moved-${Date.now()}`)
  else await rm(path, { force: true })
}
