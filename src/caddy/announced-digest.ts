// Owns the checksum that a server announces of a file: in RFC 9530's Repr-Digest, or in the header of the usual stores of binaries. Caddy's own
// service builds on demand and announces none; a mirror may.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'

export interface Digest {
  algorithm: 'sha256' | 'sha512'
  base64: string
}

/** Of the whole file, also where a part of it was asked for. Undefined for none that is known. */
export function announcedDigest(headers: IncomingHttpHeaders): Digest | undefined {
  for (const algorithm of ['sha512', 'sha256'] as const) {
    const name = algorithm.replace('sha', 'sha-')
    const base64 = new RegExp(`(?:^|,)\\s*${name}=:([\\w+/=]+):`).exec(String(headers['repr-digest'] ?? ''))?.[1]
    if (base64 !== undefined) return { algorithm, base64 }
  }
  const hex = headers['x-checksum-sha256']
  return typeof hex === 'string'
    ? { algorithm: 'sha256', base64: Buffer.from(hex, 'hex').toString('base64') }
    : undefined
}

/** False when the file is not what was announced. */
export async function hasDigest(path: string, { algorithm, base64 }: Digest): Promise<boolean> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(path), hash)
  return hash.digest('base64') === base64
}
