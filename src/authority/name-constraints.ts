// Owns what the root may sign for: a name-constraints extension (RFC 5280, 4.2.1.10) in DER. A key that leaks is
// worthless for any other name.

const sequence = 0x30
/** [0] permittedSubtrees, of NameConstraints. */
const permitted = 0xa0
/** [2] dNSName and [7] iPAddress, of GeneralName. */
const dnsName = 0x82
const ipAddress = 0x87

/** Permits `localhost` with all names below it, 127.0.0.0/8 and ::1, and nothing else. */
export function loopbackOnly(): Buffer {
  const ipv6Loopback = Buffer.concat([Buffer.alloc(15), Buffer.from([1])])
  const subtrees = [
    encode(dnsName, Buffer.from('localhost')),
    // Address and mask.
    encode(ipAddress, Buffer.from([127, 0, 0, 0, 255, 0, 0, 0])),
    encode(ipAddress, ipv6Loopback, Buffer.alloc(16, 0xff)),
  ]
  return encode(sequence, encode(permitted, ...subtrees.map((name) => encode(sequence, name))))
}

/** One DER element. All lengths here fit one byte. */
function encode(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length > 127) throw new RangeError('A DER element of more than 127 bytes needs the long form.')
  return Buffer.concat([Buffer.from([tag, body.length]), body])
}
