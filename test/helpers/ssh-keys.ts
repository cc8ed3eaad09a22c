// Keys as ssh writes them, made without ssh, and what hosts and logins are signed with.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { writeString } from '../../src/ssh/wire.js'

export interface TestKey {
  blob: Buffer
  /** In Base64. */
  text: string
  /** With its algorithm before it, as hosts sign. */
  sign(data: Buffer): Buffer
}

const curves = { nistp256: ['P-256', 'sha256'], nistp384: ['P-384', 'sha384'], nistp521: ['P-521', 'sha512'] } as const

export function ed25519Key(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const x = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  return keyOf(list('ssh-ed25519', x), 'ssh-ed25519', (data) => sign(null, data, privateKey))
}

export function ecdsaKey(name: keyof typeof curves = 'nistp256'): TestKey {
  const [namedCurve, hash] = curves[name]
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const type = `ecdsa-sha2-${name}`
  return keyOf(list(type, name, point), type, (data) => {
    const pair = sign(hash, data, { dsaEncoding: 'ieee-p1363', key: privateKey })
    const half = pair.length / 2
    return list(number(pair.subarray(0, half)), number(pair.subarray(half)))
  })
}

/** `algorithm` may be one that is no good. */
export function rsaKey(algorithm = 'rsa-sha2-512'): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { e = '', n = '' } = publicKey.export({ format: 'jwk' })
  const blob = list('ssh-rsa', number(Buffer.from(e, 'base64url')), number(Buffer.from(n, 'base64url')))
  const hash = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm] ?? 'sha1'
  return keyOf(blob, algorithm, (data) => sign(hash, data, privateKey as KeyObject))
}

/** Strings one after the other, each with its length. */
export function list(...parts: (Buffer | string)[]): Buffer {
  return Buffer.concat(parts.map(writeString))
}

function keyOf(blob: Buffer, algorithm: string, make: (data: Buffer) => Buffer): TestKey {
  return { blob, sign: (data) => list(algorithm, make(data)), text: blob.toString('base64') }
}

function number(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const short = first === -1 ? Buffer.alloc(0) : bytes.subarray(first)
  return (short[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), short]) : short
}
