// Owns which hosts Caddy has made certificates for: what is in its storage, running agents' or not.
import { readdir, rm } from 'node:fs/promises'
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

/** Removes the certificates of hosts; Caddy makes new ones when it is asked for them after its next start. */
export async function forgetStoredHosts(storage: string, hosts: readonly string[]): Promise<void> {
  for (const host of hosts) await rm(join(storage, 'certificates', 'local', host), { force: true, recursive: true })
}
