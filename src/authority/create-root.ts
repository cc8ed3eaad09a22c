// Owns what a root certificate of moat is: its name, its life, its limits, its key.
import { loopbackOnly } from './name-constraints.js'
import { keyAlgorithm, keyPem, loadX509, serialNumber } from './x509.js'

/** Subject and issuer of every root that moat makes. */
export const commonName = 'Moat CA'
const yearsValid = 10

/** A new root for a domain and its key, both PEM. */
export async function createRoot(domain: string): Promise<{ certificate: string; key: string }> {
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
        new x509.Extension('2.5.29.30', true, new Uint8Array(loopbackOnly(domain))),
      ],
      keys,
      name: `CN=${commonName}`,
      notAfter,
      notBefore,
      serialNumber: serialNumber(),
      signingAlgorithm: keyAlgorithm,
    },
    crypto,
  )
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) }
}
