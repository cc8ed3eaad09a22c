// Owns the second authority, "Moat egress CA": it signs for hosts anywhere, so that what an agent sends to one can be looked
// into. Containers of such agents trust it. No store of this machine ever does, and its key has one reader.
import { X509Certificate } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { egressAuthorityName } from '../caddy/egress-settings.js'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'
import { renewBundles } from './bundle.js'
import { publishRoots } from './publish-root.js'
import { draftAuthority, readAuthority } from './root.js'
import { fingerprintOf, type Rotation } from './roots.js'

export type EgressAuthorityPaths = Pick<
  MoatPaths,
  | 'agents'
  | 'caCertificate'
  | 'caddyStorage'
  | 'caKey'
  | 'egressCertificate'
  | 'egressKey'
  | 'egressStorage'
  | 'nextEgressAuthority'
  | 'publicEgressCertificate'
>

/** The certificate in place, checked against its key; undefined when there is none. Rejects with EGRESS_CA_BROKEN. */
export async function readEgressAuthority(
  paths: Pick<MoatPaths, 'egressCertificate' | 'egressKey'>,
): Promise<string | undefined> {
  try {
    return await readAuthority({ caCertificate: paths.egressCertificate, caKey: paths.egressKey })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new MoatError('EGRESS_CA_BROKEN', message.replace("moat's certificate", "moat's second certificate"), {
      cause: error,
      suggestions: [
        `rm -r ${shellQuote(dirname(paths.egressCertificate))}   # the next agent that needs one makes another`,
      ],
    })
  }
}

/** The certificate, made when it is first needed. Both roots lie then where containers see them. */
export async function ensureEgressAuthority(paths: EgressAuthorityPaths): Promise<string> {
  const certificate = (await readEgressAuthority(paths)) ?? (await make(paths))
  await publishEgressRoots(paths)
  return certificate
}

/** Replaces it. The old key is deleted; agents that run learn of the new one as far as their programs read files anew. */
export async function rotateEgressAuthority(paths: EgressAuthorityPaths): Promise<Rotation> {
  const directory = dirname(paths.egressCertificate)
  const existing = await readEgressAuthority(paths)
  const retired = `${directory}-retired`
  await rm(paths.nextEgressAuthority, { force: true, recursive: true })
  await rename(await draft(paths), paths.nextEgressAuthority)
  await rm(retired, { force: true, recursive: true })
  if (existing !== undefined) await rename(directory, retired)
  // From here to the next rename there is none; whoever finds none takes the one that is ready.
  await rename(paths.nextEgressAuthority, directory)
  await rm(retired, { force: true, recursive: true })
  await forgetEgressLeaves(paths)
  await publishEgressRoots(paths)
  const certificate = await readEgressAuthority(paths)
  if (certificate === undefined) throw new Error(`${paths.egressCertificate} disappeared while it was replaced`)
  const root = await readAuthority(paths)
  if (root !== undefined) await renewBundles(paths, root, certificate)
  const fingerprint = fingerprintOf(new X509Certificate(certificate))
  return { fingerprint, ...(existing && { previous: fingerprintOf(new X509Certificate(existing)) }) }
}

/** Both roots, for containers of agents of whom something is opened; nothing before there are both. */
export async function publishEgressRoots(paths: EgressAuthorityPaths): Promise<void> {
  const [own, egress] = [await readAuthority(paths), await readEgressAuthority(paths)]
  if (own === undefined || egress === undefined) return
  await publishRoots({ publicCertificate: paths.publicEgressCertificate }, [own, egress])
}

/** Leaves and intermediates of an earlier root, which Caddy would go on serving. */
export async function forgetEgressLeaves({
  caddyStorage,
  egressStorage,
}: Pick<MoatPaths, 'caddyStorage' | 'egressStorage'>): Promise<void> {
  await rm(egressStorage, { force: true, recursive: true })
  await rm(join(caddyStorage, 'pki', 'authorities', egressAuthorityName), { force: true, recursive: true })
}

async function make(paths: EgressAuthorityPaths): Promise<string> {
  const directory = dirname(paths.egressCertificate)
  // A rotation that was cut short has one ready.
  const drafted = `${directory}-${process.pid}`
  const taken = await rename(paths.nextEgressAuthority, drafted).then(
    () => drafted,
    (error) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    },
  )
  const ready = taken ?? (await draft(paths))
  try {
    await forgetEgressLeaves(paths)
    // Both files appear at once, and never over another pair: a directory in place is not replaced.
    await rename(ready, directory)
  } catch (error) {
    await rm(ready, { force: true, recursive: true })
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
  }
  const certificate = await readEgressAuthority(paths)
  if (certificate === undefined) throw new Error(`${paths.egressCertificate} disappeared while it was made`)
  return certificate
}

async function draft({ egressCertificate }: EgressAuthorityPaths): Promise<string> {
  await mkdir(dirname(dirname(egressCertificate)), { mode: 0o700, recursive: true })
  return draftAuthority({ caCertificate: egressCertificate }, 'egress')
}
