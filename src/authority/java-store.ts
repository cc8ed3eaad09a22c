// Owns files of authorities in the form that Java reads, which is one of its own: JKS, version 2, as every Java since the second
// reads it whatever it takes for its default. Pure.
import { createHash, X509Certificate } from 'node:crypto'

const magic = 0xfeedfeed
const version = 2
/** Of entries: a certificate that is trusted. */
const trusted = 2
/** Java's own stores have this one. It keeps nothing secret, and readers need not know it. */
const password = 'changeit'

/** Of a text with certificates in it; what else is in it is passed over. */
export function javaStore(text: string): Buffer {
  const entries = certificatesIn(text).map((certificate, index) =>
    // No time is known of any: all are of the same, so that the same text makes the same file.
    Buffer.concat([number(trusted), name(`${index}`), Buffer.alloc(8), name('X.509'), sized(certificate)]),
  )
  const store = Buffer.concat([number(magic), number(version), number(entries.length), ...entries])
  const secret = Buffer.from(password, 'utf16le').swap16()
  return Buffer.concat([store, createHash('sha1').update(secret).update('Mighty Aphrodite').update(store).digest()])
}

/** One that cannot be read would have Java refuse them all. */
function certificatesIn(text: string): Buffer[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const read = (block: string) => {
    try {
      return [new X509Certificate(block).raw]
    } catch {
      return []
    }
  }
  return blocks.flatMap(read)
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function name(text: string): Buffer {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(text.length)
  return Buffer.concat([size, Buffer.from(text)])
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([number(bytes.length), bytes])
}
