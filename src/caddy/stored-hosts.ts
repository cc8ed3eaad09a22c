// Owns which hosts Caddy has made certificates for: what is in its storage, running agents' or not.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.js'

/** The hosts, from a storage that moat's config made. */
export async function storedHosts(storage: string): Promise<string[]> {
  try {
    return await readdir(join(storage, 'certificates', 'local'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
