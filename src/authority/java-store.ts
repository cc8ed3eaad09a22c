// Owns the stores in which Java keeps authorities: reading those that images have, and making the one form that every version
// of Java reads without a password, JKS. Nothing on npm writes that, nor PKCS #12 with the mark by which Java trusts.
import { createHash, X509Certificate } from 'node:crypto'

const jks = { magic: 0xfe_ed_fe_ed, ofCertificate: 2, ofKey: 1, version: 2 }
/** What Java itself puts its stores under: who checks one by a password tries this. */
const password = 'changeit'
/** Of the digest at the end of a store. */
const salt = 'Mighty Aphrodite'
/** By this attribute of a certificate in PKCS #12 Java takes it for an authority, and not for a part of somebody's chain. */
const trustedByJava = '2.16.840.1.113894.746875.1.1'
const pem = /-----BEGIN CERTIFICATE-----([\w+/=\s]+)-----END CERTIFICATE-----/g

/** The authorities of a store as PEM; none for one that Java would not read without a password either. */
export async function readJavaStore(store: Buffer): Promise<string> {
  const isJks = store.length > 4 && store.readUInt32BE(0) === jks.magic
  const found = await (isJks ? inJks(store) : inPkcs12(store)).catch(() => [])
  return found.flatMap(readable).join('')
}

/** A store of the certificates in a text, each once. `at` is when it says that it got them. */
export function makeJavaStore(text: string, at = Date.now(), name = (index: number) => `authority-${index}`): Buffer {
  const certificates = new Set([...text.matchAll(pem)].map(([, base64 = '']) => base64.replaceAll(/\s/g, '')))
  const entries = [...certificates].map((base64, index) => {
    const date = Buffer.alloc(8)
    date.writeBigUInt64BE(BigInt(at))
    const der = Buffer.from(base64, 'base64')
    return Buffer.concat([number(jks.ofCertificate), word(name(index)), date, word('X.509'), number(der.length), der])
  })
  const store = Buffer.concat([number(jks.magic), number(jks.version), number(entries.length), ...entries])
  const key = Buffer.from(password, 'utf16le').swap16()
  return Buffer.concat([store, createHash('sha1').update(key).update(salt).update(store).digest()])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function word(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Rejects where it is not what it says. Keys have chains of their own, which are no authorities. */
async function inJks(store: Buffer): Promise<Buffer[]> {
  let at = 0
  const take = (length: number) => {
    if (at + length > store.length) throw new RangeError('The store ends too early.')
    at += length
    return store.subarray(at - length, at)
  }
  const takeNumber = () => take(4).readUInt32BE()
  const takeWord = () => take(take(2).readUInt16BE())
  takeNumber()
  const isTyped = takeNumber() === jks.version
  const takeCertificate = () => {
    if (isTyped) takeWord()
    return take(takeNumber())
  }
  const found: Buffer[] = []
  for (let left = takeNumber(); left > 0; left -= 1) {
    const kind = takeNumber()
    takeWord()
    take(8)
    if (kind === jks.ofCertificate) found.push(takeCertificate())
    else if (kind !== jks.ofKey) throw new RangeError('The store has an entry of an unknown kind.')
    else {
      take(takeNumber())
      for (let chain = takeNumber(); chain > 0; chain -= 1) takeCertificate()
    }
  }
  return found
}

/** Of what is not encrypted: the authorities of Java 18 and later are not. */
async function inPkcs12(store: Buffer): Promise<Buffer[]> {
  const { AuthenticatedSafe, CertBag, id_certBag, PFX, SafeContents } = await import('@peculiar/asn1-pfx')
  const { AsnConvert, OctetString } = await import('@peculiar/asn1-schema')
  const octets = (der: ArrayBuffer) => AsnConvert.parse(der, OctetString).buffer
  const { authSafe } = AsnConvert.parse(store, PFX)
  const found: Buffer[] = []
  for (const { content, contentType } of AsnConvert.parse(octets(authSafe.content), AuthenticatedSafe)) {
    if (contentType !== authSafe.contentType) continue
    for (const { bagAttributes = [], bagId, bagValue } of AsnConvert.parse(octets(content), SafeContents)) {
      if (bagId !== id_certBag || !bagAttributes.some(({ attrId }) => attrId === trustedByJava)) continue
      found.push(Buffer.from(octets(AsnConvert.parse(bagValue, CertBag).certValue)))
    }
  }
  return found
}

/** One that cannot be read would make Java refuse the whole store. */
function readable(der: Buffer): string[] {
  try {
    return [new X509Certificate(der).toString()]
  } catch {
    return []
  }
}
