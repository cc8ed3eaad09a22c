// Owns the certificate of an agent: one for its own host and for every name right below it, those that no endpoint has too,
// so that a name typed wrong leads to a page that says so and not to a warning. The root signs it itself.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { keyAlgorithm, keyPem, loadX509, serialNumber, type WebCrypto } from './x509.js'

const day = 86_400_000
/** Long, so that a machine that slept for weeks wakes up with a good one; and made anew long before. */
const daysValid = 90
const daysLeftAtLeast = 60
/** Clients read coarser clocks, and say of a certificate of this very second that it is not yet valid. */
const backdated = 3_600_000

/** Both PEM. */
export interface Signer {
  certificate: string
  key: string
}

/** A new certificate for `host` and `*.host`, and its key, in one PEM. */
export async function createLeaf(root: Signer, host: string, now = Date.now()): Promise<string> {
  const { crypto, x509 } = await loadX509()
  const issuer = new x509.X509Certificate(root.certificate)
  const keys = await crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])
  const { algorithm, signingKey } = await importKey(crypto, createPrivateKey(root.key))
  const leaf = await x509.X509CertificateGenerator.create(
    {
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export(crypto), false, crypto),
        // Critical, because there is no other name: a common name has room for 64 letters, and a host may have more.
        new x509.SubjectAlternativeNameExtension(
          namesOf(host).map((value) => ({ type: 'dns' as const, value })),
          true,
        ),
      ],
      issuer: issuer.subjectName,
      notAfter: new Date(Math.min(now + daysValid * day, issuer.notAfter.getTime())),
      notBefore: new Date(Math.max(now - backdated, issuer.notBefore.getTime())),
      publicKey: keys.publicKey,
      serialNumber: serialNumber(),
      signingAlgorithm: algorithm,
      signingKey,
      subject: '',
    },
    crypto,
  )
  return `${leaf.toString('pem')}\n${await keyPem(keys.privateKey)}`
}

/** True for what `createLeaf` made of this root for this host, while there is no reason to make another. */
export function isGoodLeaf(pem: string, root: string, host: string, now = Date.now()): boolean {
  try {
    const [leaf, issuer] = [new X509Certificate(pem), new X509Certificate(root)]
    const end = leaf.validToDate.getTime()
    return (
      leaf.subjectAltName ===
        namesOf(host)
          .map((name) => `DNS:${name}`)
          .join(', ') &&
      // One that cannot live longer, because its root does not, is not made again and again.
      end - now > Math.min(daysLeftAtLeast * day, issuer.validToDate.getTime() - now - day) &&
      leaf.validFromDate.getTime() <= now &&
      leaf.verify(issuer.publicKey) &&
      leaf.publicKey.equals(createPublicKey(createPrivateKey(pem)))
    )
  } catch {
    return false
  }
}

function namesOf(host: string): string[] {
  return [host, `*.${host}`]
}

const curves: Record<string, { hash: string; namedCurve: string }> = {
  prime256v1: { hash: 'SHA-256', namedCurve: 'P-256' },
  secp384r1: { hash: 'SHA-384', namedCurve: 'P-384' },
  secp521r1: { hash: 'SHA-512', namedCurve: 'P-521' },
}

/** A root may be one that its user put there, of another kind than moat's. */
async function importKey(crypto: WebCrypto, key: KeyObject) {
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  const algorithm =
    key.asymmetricKeyType === 'ec'
      ? { name: 'ECDSA', ...(curves[namedCurve] ?? keyAlgorithm) }
      : { hash: 'SHA-256', name: 'RSASSA-PKCS1-v1_5' }
  const der = new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))
  return { algorithm, signingKey: await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']) }
}
