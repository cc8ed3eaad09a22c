// Owns the directory that containers see: the root certificate, and nothing that is secret. It is mounted whole, because a
// mounted file stays the one it was when it is replaced.
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { MoatPaths } from '../config/paths.js'

/** Puts the certificate there, unless it is there. Whoever reads meanwhile reads a whole one. */
export async function publishRoot(
  { publicCertificate }: Pick<MoatPaths, 'publicCertificate'>,
  certificate: string,
): Promise<void> {
  if ((await readFile(publicCertificate, 'utf8').catch(() => undefined)) === certificate) return
  const directory = dirname(publicCertificate)
  await mkdir(directory, { recursive: true })
  // Users of containers are others than the one who runs moat; the directory above keeps other users of this machine out.
  await chmod(directory, 0o755)
  // Beside the directory: containers never see it.
  const draft = `${directory}.${randomUUID()}`
  await writeFile(draft, certificate, { flush: true })
  await chmod(draft, 0o644)
  await rename(draft, publicCertificate)
}
