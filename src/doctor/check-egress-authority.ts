// Owns the check of the second authority, which signs for hosts elsewhere: nobody but its user reads its key, and nothing on this
// machine trusts it. Only containers may.
import { X509Certificate } from 'node:crypto'
import { readEgressAuthority } from '../authority/egress-root.js'
import { fingerprintOf } from '../authority/roots.js'
import { findStores, storeContext } from '../authority/stores/find-stores.js'
import type { TrustStore } from '../authority/stores/store.js'
import { exposureOf } from './check-authority.js'
import { type DoctorContext, type Finding, fail, ok } from './diagnosis.js'

const check = 'second authority'

export async function checkEgressAuthority(
  { paths }: Pick<DoctorContext, 'paths'>,
  stores?: readonly Pick<TrustStore, 'id' | 'name' | 'roots'>[],
): Promise<Finding[]> {
  const certificate = await readEgressAuthority(paths)
  if (certificate === undefined) return []
  const exposed = await exposureOf({ caCertificate: paths.egressCertificate, caKey: paths.egressKey })
  const fingerprint = fingerprintOf(new X509Certificate(certificate))
  const trusting = await Promise.all(
    (stores ?? (await findStores(storeContext(paths)))).map(async (store) => {
      // A store that cannot be read is for the check of trust to tell.
      const roots = await store.roots().catch(() => [])
      return roots.some((root) => root.fingerprint === fingerprint) ? [store.name] : []
    }),
  )
  const findings = trusting.flat().map((name) => {
    const message = `${name} trusts moat's second authority, which can sign for any host: only containers should.`
    return fail(check, message, ['moat proxy untrust && moat proxy trust', 'moat proxy ca rotate --egress'])
  })
  if (exposed.length + findings.length > 0) return [...exposed, ...findings]
  return [ok(check, 'Only you can read its key, and no store of this machine trusts it.')]
}
