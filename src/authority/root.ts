// Owns the root certificate, "Moat CA": made once on this machine, and good for localhost and the proxy's domain only.
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, messageOf, systemCode } from '../errors.js'
import { createRoot, type RootPurpose } from './create-root.js'
import { permits, permittedNames } from './name-constraints.js'
import { publishRoot } from './publish-root.js'

export type AuthorityPaths = Pick<
  MoatPaths,
  'caCertificate' | 'caddyStorage' | 'caKey' | 'nextAuthority' | 'publicCertificate'
>

export interface Authority {
  /** PEM. */
  certificate: string
  /** True when this call made it. */
  created: boolean
}

/**
 * The root certificate, made if there is none. Rejects with CA_BROKEN when its files do not fit, with CA_DOMAIN when it is
 * not for this domain; never overwrites them.
 */
export async function ensureAuthority(paths: AuthorityPaths, domain: string): Promise<Authority> {
  const authority = await findOrMake(paths, domain)
  assertPermits(authority.certificate, domain)
  await publishRoot(paths, authority.certificate)
  return authority
}

async function findOrMake(paths: AuthorityPaths, domain: string): Promise<Authority> {
  const existing = await readAuthority(paths)
  if (existing) return { certificate: existing, created: false }
  const directory = dirname(paths.caCertificate)
  // A rotation that was cut short has one ready.
  const draft = (await takeNext(paths)) ?? (await draftAuthority(paths, { domain }))
  try {
    // Before the root is in place: a crash in between would leave a root that no served certificate chains to, for good.
    await forgetOldLeaves(paths)
    // Both files appear at once, and never over another pair: a directory in place is not replaced.
    await rename(draft, directory)
  } catch (error) {
    await rm(draft, { force: true, recursive: true })
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
    const winner = await readAuthority(paths)
    if (!winner) throw brokenAuthority(directory, `${paths.caCertificate} is missing`)
    return { certificate: winner, created: false }
  }
  const certificate = await readAuthority(paths)
  if (!certificate) throw brokenAuthority(directory, `${paths.caCertificate} is missing`)
  return { certificate, created: true }
}

/** A new root and its key in a directory of their own, beside the one in use. */
export async function draftAuthority(
  paths: Pick<AuthorityPaths, 'caCertificate'>,
  purpose: RootPurpose,
): Promise<string> {
  const directory = dirname(paths.caCertificate)
  await mkdir(dirname(directory), { mode: 0o700, recursive: true })
  const draft = await mkdtemp(`${directory}-`)
  try {
    const { certificate, key } = await createRoot(purpose)
    await writeFile(join(draft, 'ca.crt'), certificate, { flush: true, mode: 0o644 })
    // The supervisor's umask would keep it from other users, who may read it.
    await chmod(join(draft, 'ca.crt'), 0o644)
    await writeFile(join(draft, 'ca.key'), key, { flush: true, mode: 0o600 })
    return draft
  } catch (error) {
    await rm(draft, { force: true, recursive: true })
    throw error
  }
}

async function takeNext({ caCertificate, nextAuthority }: AuthorityPaths): Promise<string | undefined> {
  const draft = `${dirname(caCertificate)}-${process.pid}`
  try {
    await rename(nextAuthority, draft)
    return draft
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The certificate in place, checked against its key; undefined when there are no files. Rejects with CA_BROKEN. */
export async function readAuthority(
  paths: Pick<AuthorityPaths, 'caCertificate' | 'caKey'>,
): Promise<string | undefined> {
  const directory = dirname(paths.caCertificate)
  const [certificate, key] = await Promise.all([read(paths.caCertificate, directory), read(paths.caKey, directory)])
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined) throw brokenAuthority(directory, `${paths.caCertificate} is missing`)
  if (key === undefined) throw brokenAuthority(directory, `${paths.caKey} is missing`)
  let parsed: X509Certificate
  try {
    assertFirstBlock(certificate, /^CERTIFICATE$/)
    parsed = new X509Certificate(certificate)
  } catch (error) {
    throw brokenAuthority(directory, `${paths.caCertificate} is not a certificate`, error)
  }
  if (!parsed.ca) throw brokenAuthority(directory, `${paths.caCertificate} is not the certificate of an authority`)
  let matches: boolean
  try {
    assertFirstBlock(key, /^(EC |RSA )?PRIVATE KEY$/)
    matches = parsed.publicKey.equals(createPublicKey(createPrivateKey(key)))
  } catch (error) {
    throw brokenAuthority(directory, `${paths.caKey} is not a private key`, error)
  }
  if (!matches) throw brokenAuthority(directory, `${paths.caKey} does not belong to ${paths.caCertificate}`)
  if (parsed.validToDate < new Date())
    throw brokenAuthority(directory, `${paths.caCertificate} expired on ${parsed.validTo}`)
  return certificate
}

/** Caddy takes the first block of a file, whatever it is; Node looks for the one that fits. */
function assertFirstBlock(pem: string, label: RegExp): void {
  const found = /^-----BEGIN ([^\r\n]*)-----\s*$/m.exec(pem)?.[1]
  if (!found || !label.test(found)) throw new Error(`the first block is ${found ?? 'missing'}`)
}

/** What it may sign for cannot be changed, and nobody should come to trust another root without knowing. */
export function assertPermits(certificate: string, domain: string): void {
  const { raw } = new X509Certificate(certificate)
  if (permits(raw, domain)) return
  const names = permittedNames(raw)?.join(' and ')
  const message = `moat's root certificate is for ${names} only, but proxy.domain in config.yaml is ${domain}.`
  throw new MoatError('CA_DOMAIN', message, {
    suggestions: ['moat proxy ca rotate   # a new one is made, and must be trusted: moat proxy trust'],
  })
}

async function read(path: string, directory: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw brokenAuthority(directory, `${path} cannot be read (${messageOf(error)})`, error)
  }
}

/** CA_BROKEN: what Caddy serves from memory goes on, and nothing new. */
export function brokenAuthority(directory: string, reason: string, cause?: unknown): MoatError {
  return new MoatError('CA_BROKEN', `moat's certificate authority is broken: ${reason}.`, {
    cause,
    suggestions: [
      `moat proxy stop; rm -r ${shellQuote(directory)}; moat proxy start --detach && moat proxy trust   # unless you can put the files back: a new one is made`,
    ],
  })
}

/** Leaves and intermediates of an earlier root, which Caddy would go on serving. */
export async function forgetOldLeaves({ caddyStorage }: Pick<MoatPaths, 'caddyStorage'>): Promise<void> {
  for (const directory of ['certificates', 'pki']) {
    await rm(join(caddyStorage, directory), { force: true, recursive: true })
  }
}
