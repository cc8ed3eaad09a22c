// Owns public keys as SSH has them: read from a line, named by their fingerprints, and whether a signature is theirs. Pure.
import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { WireReader } from './wire.js'

export interface PublicKey {
  /** In Base64, as it stands in lines. */
  blob: string
  comment: string
  type: string
}

/** The ways in which keys of each type sign; none that rests on SHA-1. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'sk-ecdsa-sha2-nistp256@openssh.com': ['sk-ecdsa-sha2-nistp256@openssh.com'],
  'sk-ssh-ed25519@openssh.com': ['sk-ssh-ed25519@openssh.com'],
  'ssh-ed25519': ['ssh-ed25519'],
  'ssh-rsa': ['rsa-sha2-256', 'rsa-sha2-512'],
}

const curves: Readonly<Record<string, { crv: string; hash: string; size: number }>> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', hash: 'sha256', size: 32 },
  'ecdsa-sha2-nistp384': { crv: 'P-384', hash: 'sha384', size: 48 },
  'ecdsa-sha2-nistp521': { crv: 'P-521', hash: 'sha512', size: 66 },
}

/** `ssh-ed25519 AAAA… comment`, of a `.pub` file. Undefined for what is none, and for kinds that moat does not know. */
export function parsePublicKey(line: string): PublicKey | undefined {
  const [, type = '', text = '', comment = ''] =
    /^([a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?$/.exec(line.trim()) ?? []
  const blob = Buffer.from(text, 'base64')
  if (!Object.hasOwn(algorithms, type) || keyType(blob) !== type) return undefined
  return { blob: blob.toString('base64'), comment, type }
}

/** The type that a key itself says it has. */
export function keyType(blob: Buffer): string | undefined {
  try {
    return new WireReader(blob).text()
  } catch {
    return undefined
  }
}

/** `SHA256:…`, as `ssh-add -l` prints it. */
export function fingerprint(blob: Buffer | string): string {
  const bytes = typeof blob === 'string' ? Buffer.from(blob, 'base64') : blob
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`
}

export function algorithmsOf(blob: Buffer): readonly string[] {
  const type = keyType(blob)
  return type !== undefined && Object.hasOwn(algorithms, type) ? (algorithms[type] ?? []) : []
}

/** True when `signature`, with its algorithm before it, is this key's over `data`. */
export function isSignedBy(blob: Buffer, data: Buffer, signature: Buffer): boolean {
  try {
    const reader = new WireReader(signature)
    const algorithm = reader.text()
    const bytes = reader.string()
    reader.end()
    if (!algorithmsOf(blob).includes(algorithm)) return false
    const key = createPublicKey({ format: 'jwk', key: toJwk(blob) })
    const curve = curves[algorithm]
    if (curve) return verify(curve.hash, data, { dsaEncoding: 'ieee-p1363', key }, pairOf(bytes, curve.size))
    return verify(hashOf(algorithm), data, key, bytes)
  } catch {
    return false
  }
}

function hashOf(algorithm: string): string | null {
  if (algorithm === 'ssh-ed25519') return null
  return algorithm === 'rsa-sha2-256' ? 'sha256' : 'sha512'
}

function toJwk(blob: Buffer): JsonWebKey {
  const reader = new WireReader(blob)
  const type = reader.text()
  const curve = curves[type]
  if (type === 'ssh-ed25519') {
    const x = reader.string()
    reader.end()
    return { crv: 'Ed25519', kty: 'OKP', x: x.toString('base64url') }
  }
  if (curve) {
    reader.string()
    const point = reader.string()
    reader.end()
    if (point[0] !== 4 || point.length !== 1 + 2 * curve.size) throw new RangeError('no point')
    const [x, y] = [point.subarray(1, 1 + curve.size), point.subarray(1 + curve.size)]
    return { crv: curve.crv, kty: 'EC', x: x.toString('base64url'), y: y.toString('base64url') }
  }
  const [e, n] = [reader.string(), reader.string()]
  reader.end()
  if (type !== 'ssh-rsa') throw new RangeError('no such key')
  return { e: unsigned(e).toString('base64url'), kty: 'RSA', n: unsigned(n).toString('base64url') }
}

/** Two numbers, each as long as the curve has it. */
function pairOf(bytes: Buffer, size: number): Buffer {
  const reader = new WireReader(bytes)
  const parts = [reader.string(), reader.string()].map((part) => {
    const number = unsigned(part)
    if (number.length > size) throw new RangeError('too long')
    return Buffer.concat([Buffer.alloc(size - number.length), number])
  })
  reader.end()
  return Buffer.concat(parts)
}

/** Without the zeros before it, of which one says that the number is not below zero. */
function unsigned(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? Buffer.alloc(0) : bytes.subarray(first)
}
