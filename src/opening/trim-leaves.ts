// Owns that certificates of opened hosts do not fill the disk: below a wildcard an agent can name as many hosts as it likes.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { egressAuthorityName } from '../caddy/egress-settings.js'

/** Hosts; each has three small files. */
const most = 2_000

/** Caddy makes those anew that are still asked for. */
export async function trimLeaves(storage: string): Promise<void> {
  const directory = join(storage, 'certificates', egressAuthorityName)
  const hosts = await readdir(directory).catch(() => [])
  if (hosts.length > most) await rm(directory, { force: true, recursive: true })
}

/** All that have a certificate. */
export async function openedLeaves(storage: string): Promise<string[]> {
  return readdir(join(storage, 'certificates', egressAuthorityName)).catch(() => [])
}
