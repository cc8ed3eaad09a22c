// Owns what the root may sign for: a name-constraints extension (RFC 5280, 4.2.1.10) in DER. A key that leaks is
// worthless for any other name.
import { defaultDomain, isWithin } from '../routing/urls.js'

const sequence = 0x30
/** [0] permittedSubtrees, of NameConstraints. */
const permitted = 0xa0
/** [2] dNSName and [7] iPAddress, of GeneralName. */
const dnsName = 0x82
const ipAddress = 0x87

/** Permits `localhost` and the domain with all names below them, 127.0.0.0/8 and ::1, and nothing else. */
export function loopbackOnly(domain: string): Buffer {
  const names = isWithin(domain, defaultDomain) ? [defaultDomain] : [defaultDomain, domain]
  const ipv6Loopback = Buffer.concat([Buffer.alloc(15), Buffer.from([1])])
  const subtrees = [
    ...names.map((name) => encode(dnsName, Buffer.from(name))),
    // Address and mask.
    encode(ipAddress, Buffer.from([127, 0, 0, 0, 255, 0, 0, 0])),
    encode(ipAddress, ipv6Loopback, Buffer.alloc(16, 0xff)),
  ]
  return encode(sequence, encode(permitted, ...subtrees.map((name) => encode(sequence, name))))
}

/** The names that a certificate in DER permits; undefined for one without constraints, which permits all. */
export function permittedNames(certificate: Buffer): string[] | undefined {
  const start = certificate.indexOf(extensionId)
  if (start === -1) return undefined
  // After the id: whether it is critical, then the constraints as one string of bytes.
  const value = elements(certificate.subarray(start + extensionId.length)).find(({ tag }) => tag === octetString)
  const [constraints] = value ? elements(value.body) : []
  const subtrees = elements(constraints?.body ?? Buffer.alloc(0)).filter(({ tag }) => tag === permitted)
  const names = subtrees.flatMap(({ body }) => elements(body)).flatMap(({ body }) => elements(body))
  return names.filter(({ tag }) => tag === dnsName).map(({ body }) => body.toString())
}

/** True when a certificate may sign for the domain and what is below it. */
export function permits(certificate: Buffer, domain: string): boolean {
  return permittedNames(certificate)?.some((name) => isWithin(domain, name)) ?? true
}

/** 2.5.29.30 */
const extensionId = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e])
const octetString = 0x04

/** One DER element. Lengths here fit one byte; Caddy takes no length that is longer than it has to be. */
function encode(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length > 255) throw new RangeError('A DER element of more than 255 bytes needs a longer length.')
  const length = body.length < longForm ? [body.length] : [longForm | 1, body.length]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

/** From here on a length says first how many bytes it has itself. */
const longForm = 0x80

/** The DER elements that stand one after the other, up to the first that is not whole. */
function elements(der: Buffer): { body: Buffer; tag: number }[] {
  const [tag, first] = der
  if (tag === undefined || first === undefined) return []
  const lengthBytes = first < longForm ? 0 : first - longForm
  if (lengthBytes > 4 || der.length < 2 + lengthBytes) return []
  const length = lengthBytes === 0 ? first : der.readUIntBE(2, lengthBytes)
  const end = 2 + lengthBytes + length
  if (end > der.length) return []
  return [{ body: der.subarray(2 + lengthBytes, end), tag }, ...elements(der.subarray(end))]
}
