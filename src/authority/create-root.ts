// Owns what a root certificate of moat is: its name, its life, its limits, its key.
import { randomBytes, webcrypto } from 'node:crypto'
import { loopbackOnly } from './name-constraints.js'

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
  // Loaded here: it is needed once in the life of an installation.
  await import('reflect-metadata') // Its dependency injection asks for it.
  const x509 = await import('@peculiar/x509')
  const crypto = webcrypto as unknown as typeof globalThis.crypto
  const algorithm = { hash: 'SHA-256', name: 'ECDSA', namedCurve: 'P-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
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
      signingAlgorithm: algorithm,
    },
    crypto,
  )
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`,
  }
}

/** 16 random bytes as a positive number. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes.toString('hex')
}
