// Owns the number under which OpenSSL looks for an authority in a directory: of its name, in a form of OpenSSL's own.
import { createHash, X509Certificate } from 'node:crypto'

/** Object identifiers of what moat's names are made of, as DER. */
const attributes: Record<string, number[]> = { CN: [0x55, 0x04, 0x03], OU: [0x55, 0x04, 0x0b] }
const tags = { identifier: 0x06, sequence: 0x30, set: 0x31, text: 0x0c }

/** Of a certificate in PEM whose name has nothing but common names and units in it, in ASCII. */
export function subjectHash(pem: string): string {
  const parts = new X509Certificate(pem).subject.split('\n').map((line) => {
    const [, attribute = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? []
    const identifier = attributes[attribute]
    if (!identifier) throw new Error(`${attribute} in the name of an authority has no number here`)
    // Case and runs of spaces do not count.
    const text = Buffer.from(value.toLowerCase().trim().replace(/\s+/g, ' '))
    return element(
      tags.set,
      element(tags.sequence, element(tags.identifier, Buffer.from(identifier)), element(tags.text, text)),
    )
  })
  return createHash('sha1').update(Buffer.concat(parts)).digest().readUInt32LE().toString(16).padStart(8, '0')
}

/** DER, of less than 128 bytes. */
function element(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag, body.length]), body])
}
