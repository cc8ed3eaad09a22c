// Owns which signatures are believed to be a host's, and how keys are read and named.
import { expect, it } from 'vitest'
import { algorithmsOf, fingerprint, isSignedBy, parsePublicKey } from '../../../src/ssh/public-key.js'
import { ecdsaKey, ed25519Key, list, rsaKey, type TestKey } from '../../helpers/ssh-keys.js'

const data = Buffer.from('a session')
const keys: [string, () => TestKey][] = [
  ['ssh-ed25519', ed25519Key],
  ['ecdsa-sha2-nistp256', () => ecdsaKey('nistp256')],
  ['ecdsa-sha2-nistp384', () => ecdsaKey('nistp384')],
  ['ecdsa-sha2-nistp521', () => ecdsaKey('nistp521')],
  ['rsa-sha2-256', () => rsaKey('rsa-sha2-256')],
  ['rsa-sha2-512', () => rsaKey('rsa-sha2-512')],
]

it.each(keys)('%s: what the key has signed, and nothing else', (_, make) => {
  const [key, other] = [make(), make()]
  // Numbers of a signature are shorter now and then.
  for (let round = 0; round < 20; round += 1) expect(isSignedBy(key.blob, data, key.sign(data))).toBe(true)
  const signature = key.sign(data)
  expect(isSignedBy(key.blob, Buffer.from('another'), signature)).toBe(false)
  expect(isSignedBy(other.blob, data, signature)).toBe(false)
  const changed = Buffer.from(signature)
  changed[changed.length - 3] = (changed.at(-3) ?? 0) ^ 1
  expect(isSignedBy(key.blob, data, changed)).toBe(false)
  expect(isSignedBy(key.blob, data, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false)
  expect(isSignedBy(Buffer.concat([key.blob, Buffer.alloc(1)]), data, signature)).toBe(false)
  for (let length = 0; length < signature.length; length += 7)
    expect(isSignedBy(key.blob, data, signature.subarray(0, length))).toBe(false)
})

it('not by SHA-1, and not by an algorithm of another type', () => {
  const old = rsaKey('ssh-rsa')
  expect(isSignedBy(old.blob, data, old.sign(data))).toBe(false)
  const key = ed25519Key()
  expect(isSignedBy(key.blob, data, list('rsa-sha2-512', key.sign(data)))).toBe(false)
  expect(isSignedBy(Buffer.from('nonsense'), data, key.sign(data))).toBe(false)
})

it('reads lines of .pub files, and names keys as ssh-add does', () => {
  const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github.com'
  const key = parsePublicKey(`${line}\n`)
  expect(key?.comment).toBe('github.com')
  expect(fingerprint(key?.blob ?? '')).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})

it.each([
  '',
  'ssh-ed25519',
  'ssh-ed25519 AAAA',
  `ssh-rsa ${ed25519Key().text}`,
  `ssh-dss ${list('ssh-dss', 'x').toString('base64')}`,
  `constructor ${list('constructor', 'x').toString('base64')}`,
  '-----BEGIN OPENSSH PRIVATE KEY-----',
])('is no public key: %j', (line) => {
  expect(parsePublicKey(line)).toBeUndefined()
})

it('knows no algorithm of a key that is none', () => {
  expect(algorithmsOf(list('toString'))).toEqual([])
  expect(algorithmsOf(Buffer.alloc(0))).toEqual([])
})
