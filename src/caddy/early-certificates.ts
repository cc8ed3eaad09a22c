// Owns what Caddy's storage has from a clock that was ahead: Caddy makes certificates anew when they are about to end, and shows
// those that are not valid yet until they are.
import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const removable = /^(certificates\/.*|pki\/authorities\/[^/]+\/intermediate)\.crt$/

/**
 * Removes certificates that are not valid yet, with their keys: intermediates, and what those have signed. Roots are moat's own.
 * Call it while no Caddy uses the storage.
 */
export function removeEarlyCertificates(storage: string, now: number = Date.now()): void {
  for (const file of readdirSync(storage, { encoding: 'utf8', recursive: true })) {
    if (!removable.test(file)) continue
    const stem = join(storage, file.slice(0, -'.crt'.length))
    if (!isEarly(`${stem}.crt`, now)) continue
    for (const ending of ['crt', 'key', 'json']) rmSync(`${stem}.${ending}`, { force: true })
  }
}

/** What cannot be read or is no certificate is Caddy's to complain of. */
function isEarly(file: string, now: number): boolean {
  try {
    return new X509Certificate(readFileSync(file)).validFromDate.getTime() > now
  } catch {
    return false
  }
}
