// Owns replacing a root while Caddy serves: the files, and then all that Caddy has in memory.
import { rotateEgressAuthority } from '../authority/egress-root.js'
import type { RootKind, Rotation } from '../authority/roots.js'
import { rotateAuthority } from '../authority/rotate.js'
import { storedHosts } from '../caddy/stored-hosts.js'
import type { MoatPaths } from '../config/paths.js'
import { openedLeaves } from '../opening/trim-leaves.js'
import type { ManagedCaddy } from './managed-caddy.js'

export interface ReplaceRootOptions {
  caddy: Pick<ManagedCaddy, 'reissue'>
  domain: string
  log: (message: string) => void
  paths: MoatPaths
}

/** Resolves when every certificate comes from the new one. */
export async function replaceRoot(
  which: RootKind,
  { caddy, domain, log, paths }: ReplaceRootOptions,
): Promise<Rotation> {
  const isOwn = which === 'own'
  const hosts = isOwn ? await storedHosts(paths.caddyStorage) : await openedLeaves(paths.egressStorage)
  const rotation = isOwn ? await rotateAuthority(paths, domain) : await rotateEgressAuthority(paths)
  log(`the ${isOwn ? '' : 'second '}root certificate is now ${rotation.fingerprint}`)
  await caddy.reissue(isOwn ? { own: hosts } : { opened: hosts })
  return rotation
}
