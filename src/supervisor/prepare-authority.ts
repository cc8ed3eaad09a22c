// Owns that there is an authority before the proxy serves anything, as far as there has to be.
import { ensureAuthority } from '../authority/root.js'
import type { MoatPaths } from '../config/paths.js'
import { ownCaddys } from '../upkeep/own-processes.js'

/** True when it was made. A Caddy that runs has a root in memory, and goes on with it while the files are broken. */
export async function prepareAuthority(paths: MoatPaths, domain: string): Promise<boolean> {
  try {
    return (await ensureAuthority(paths, domain)).created
  } catch (error) {
    if ((await ownCaddys(paths)).length === 0) throw error
    return false
  }
}
