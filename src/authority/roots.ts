// Owns recognising moat's root certificates: the one in use, those it replaced, and those of others on this machine.
import { X509Certificate } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { messageOf, systemCode } from '../errors.js'
import { commonName, egressName } from './create-root.js'

/** SHA-256 in hex, without colons. */
export type Fingerprint = string

/** The root of the proxy's own names, or the one for what agents reach elsewhere. */
export type RootKind = 'egress' | 'own'

export interface Rotation {
  /** Of the new root. */
  fingerprint: Fingerprint
  /** Of the one it replaces; absent when there was none. */
  previous?: Fingerprint
}

export interface Root {
  certificate: X509Certificate
  /** Path of the PEM file. */
  file: string
  fingerprint: Fingerprint
}

export function fingerprintOf(certificate: X509Certificate): Fingerprint {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

/** Enough of a fingerprint to tell a few roots apart, in file names and nicknames. */
export function shortFingerprint(fingerprint: Fingerprint): string {
  return fingerprint.slice(0, 8)
}

/** The certificate in a PEM text, if it is a root that some moat made; whose, its fingerprint says. */
export function moatRootIn(pem: string | Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem)
    const { subject } = certificate
    const isMoats = subject === `CN=${commonName}` || subject.split('\n').includes(`CN=${egressName}`)
    return isMoats && certificate.issuer === certificate.subject ? certificate : undefined
  } catch {
    return undefined
  }
}

export async function readRoot(file: string): Promise<Root> {
  const certificate = new X509Certificate(await readFile(file))
  return { certificate, file, fingerprint: fingerprintOf(certificate) }
}

/** Fingerprints of the roots that no store should have any more, or ever: those that were replaced, and the second one. */
export async function readOldRoots({
  egressCertificate,
  oldRoots,
}: Pick<MoatPaths, 'egressCertificate' | 'oldRoots'>): Promise<Set<Fingerprint>> {
  const fingerprints = new Set<Fingerprint>()
  for (const name of await namesIn(oldRoots)) {
    const certificate = moatRootIn(await readFile(join(oldRoots, name)))
    if (certificate) fingerprints.add(fingerprintOf(certificate))
  }
  const egress = moatRootIn(await readFile(egressCertificate).catch(() => ''))
  if (egress) fingerprints.add(fingerprintOf(egress))
  return fingerprints
}

/** The files of a directory; none when there is no such directory. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw new Error(`${directory} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
