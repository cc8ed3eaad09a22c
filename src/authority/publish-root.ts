// Owns the directory that containers see: the root certificate, and nothing that is secret. It is mounted whole, because a
// mounted file stays the one it was when it is replaced.
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { systemCode } from '../errors.js'
import { subjectHash } from './subject-hash.js'

/** OpenSSL's hash of `CN=Moat CA`, under which it looks for an authority of that name in a directory. */
export const nameHash = '159b6d19'

/** Beside the certificate: what has Chromium and Chrome accept it, once it lies in a directory of their policies. */
export const chromiumPolicy = 'chromium-policy.json'

/** Puts the certificate there, unless it is there. Whoever reads meanwhile reads a whole one. */
export async function publishRoot(
  { publicCertificate }: Pick<MoatPaths, 'publicCertificate'>,
  certificate: string,
): Promise<void> {
  const directory = dirname(publicCertificate)
  if ((await readFile(publicCertificate, 'utf8').catch(() => undefined)) === certificate) {
    await publishPolicy(directory, [certificate])
    return
  }
  await makePublic(directory)
  await symlink(basename(publicCertificate), join(directory, `${nameHash}.0`)).catch(ignoreExisting)
  await putThere(publicCertificate, certificate)
  await publishPolicy(directory, [certificate])
}

/** The same for the two roots, moat's own first: all in the one file, and each under the name by which OpenSSL looks for it. */
export async function publishRoots(
  { publicCertificate }: Pick<MoatPaths, 'publicCertificate'>,
  [own, egress]: readonly [string, string],
): Promise<void> {
  const directory = dirname(publicCertificate)
  await makePublic(directory)
  const links = { [`${nameHash}.0`]: own, [`${subjectHash(egress)}.0`]: egress }
  const files = { ...links, [basename(publicCertificate)]: own + egress }
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name)
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) await putThere(path, text)
  }
  // Of a root that was replaced.
  const old = (await readdir(directory)).filter((name) => name.endsWith('.0') && !(name in links))
  for (const name of old) await rm(join(directory, name), { force: true })
  await publishPolicy(directory, [own, egress])
}

async function makePublic(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  // Users of containers are others than the one who runs moat; the directory above keeps other users of this machine out.
  await chmod(directory, 0o755)
}

/** Whoever reads meanwhile reads a whole one. The draft is beside the directory: containers never see it. */
async function putThere(path: string, text: string): Promise<void> {
  const draft = `${dirname(path)}.${randomUUID()}`
  await writeFile(draft, text, { flush: true })
  await chmod(draft, 0o644)
  await rename(draft, path)
}

/** Written in place: containers have this one file mounted, and a new one would not be it. */
async function publishPolicy(directory: string, certificates: readonly string[]): Promise<void> {
  const path = join(directory, chromiumPolicy)
  const bare = certificates.map((certificate) => certificate.replace(/-----.*-----|\s/g, ''))
  const policy = `${JSON.stringify({ CACertificates: bare })}\n`
  if ((await readFile(path, 'utf8').catch(() => undefined)) === policy) return
  await writeFile(path, policy)
  await chmod(path, 0o644)
}

function ignoreExisting(error: unknown): void {
  if (systemCode(error) !== 'EEXIST') throw error
}
