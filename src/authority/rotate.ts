// Owns replacing the root certificate by a new one. Whenever it is cut short, a whole pair of certificate and key is in
// place, or the next start puts one there.
import { X509Certificate } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { renewBundles } from './bundle.js'
import { publishEgressRoots, readEgressAuthority } from './egress-root.js'
import { publishRoot } from './publish-root.js'
import { draftAuthority, ensureAuthority, forgetOldLeaves, readAuthority } from './root.js'
import { fingerprintOf, type Rotation, shortFingerprint } from './roots.js'

/** Makes a new root for a domain. The old one's key is deleted; its certificate is kept so that trust stores can be rid of it. */
export async function rotateAuthority(paths: MoatPaths, domain: string): Promise<Rotation> {
  const existing = await readAuthority(paths)
  if (!existing) {
    const { certificate } = await ensureAuthority(paths, domain)
    return { fingerprint: fingerprintOf(new X509Certificate(certificate)) }
  }
  const directory = dirname(paths.caCertificate)
  const previous = fingerprintOf(new X509Certificate(existing))
  await mkdir(paths.oldRoots, { mode: 0o700, recursive: true })
  await writeFile(join(paths.oldRoots, `${shortFingerprint(previous)}.crt`), existing, { flush: true, mode: 0o644 })
  await rm(paths.nextAuthority, { force: true, recursive: true })
  await rename(await draftAuthority(paths, { domain }), paths.nextAuthority)
  const retired = `${directory}-retired`
  await rm(retired, { force: true, recursive: true })
  await rename(directory, retired)
  // From here to the next rename there is no root in place; a start that finds none takes the one that is ready.
  await rename(paths.nextAuthority, directory)
  await rm(retired, { recursive: true })
  await forgetOldLeaves(paths)
  const certificate = await readAuthority(paths)
  if (!certificate) throw new Error(`${paths.caCertificate} disappeared while it was replaced`)
  await publishRoot(paths, certificate)
  await publishEgressRoots(paths)
  await renewBundles(paths, certificate, await readEgressAuthority(paths))
  return { fingerprint: fingerprintOf(new X509Certificate(certificate)), previous }
}
