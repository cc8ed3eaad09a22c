// Owns what a root certificate of moat is: its name, its life, its limits, its key.
import { loopbackOnly } from './name-constraints.js'
import { keyAlgorithm, keyPem, loadX509, serialNumber } from './x509.js'

/** Subject and issuer of every root for the proxy's own names. */
export const commonName = 'Moat CA'
/**
 * The same of every root for what agents reach elsewhere. No store of the host takes it: by its name it is told from the other.
 * Each has a unit of its own, too: OpenSSL looks at one root of a name, and a container may have a replaced one among its own.
 */
export const egressName = 'Moat egress CA'
const yearsValid = 10

/** What a root is for: names below the proxy's domain, or any names, in containers alone. */
export type RootPurpose = { domain: string } | 'egress'

/** A new root and its key, both PEM. */
export async function createRoot(purpose: RootPurpose): Promise<{ certificate: string; key: string }> {
  const { crypto, x509 } = await loadX509()
  const keys = await crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])
  const notBefore = new Date()
  const notAfter = new Date(notBefore)
  notAfter.setFullYear(notAfter.getFullYear() + yearsValid)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      extensions: [
        // Room for the one intermediate that Caddy signs leaves with.
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
        ...(purpose === 'egress'
          ? []
          : [new x509.Extension('2.5.29.30', true, new Uint8Array(loopbackOnly(purpose.domain)))]),
      ],
      keys,
      name: purpose === 'egress' ? `OU=${serialNumber().slice(0, 16)}, CN=${egressName}` : `CN=${commonName}`,
      notAfter,
      notBefore,
      serialNumber: serialNumber(),
      signingAlgorithm: keyAlgorithm,
    },
    crypto,
  )
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) }
}
