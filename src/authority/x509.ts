// Owns loading the library that makes certificates, and what all that are made here have in common.
import { randomBytes, webcrypto } from 'node:crypto'

/** Of the keys that are made here: Chromium takes no Ed25519, and RSA takes a second to make. */
export const keyAlgorithm = { hash: 'SHA-256', name: 'ECDSA', namedCurve: 'P-256' }

export type WebCrypto = typeof globalThis.crypto

/** Loaded where it is needed: once in the life of an installation, and by the supervisor for each agent. */
export async function loadX509() {
  await import('reflect-metadata') // Its dependency injection asks for it.
  const x509 = await import('@peculiar/x509')
  return { crypto: webcrypto as unknown as WebCrypto, x509 }
}

/** A private key as PEM. */
export async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const text = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${text.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
}

/** 16 random bytes as a positive number. */
export function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes.toString('hex')
}
