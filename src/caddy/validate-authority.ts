// Owns asking Caddy whether it can sign with the files of an authority. It answers some that it cannot with a panic, after
// which its admin API is dead for good: so this asks another Caddy than the one that serves.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaddySettings } from './caddy-settings.js'
import { authorityConfig } from './to-caddy-config.js'
import { validateConfig } from './validate-config.js'

/** Why Caddy cannot use the files, in its own words; undefined when it can. */
export async function validateAuthority(
  binary: string,
  files: Pick<CaddySettings, 'caCertificate' | 'caKey'>,
): Promise<string | undefined> {
  // It makes an intermediate certificate, which is nobody's business.
  const storage = await mkdtemp(join(tmpdir(), 'moat-check-'))
  try {
    return await validateConfig(binary, {
      apps: { pki: authorityConfig(files) },
      storage: { module: 'file_system', root: storage },
    })
  } finally {
    await rm(storage, { force: true, recursive: true })
  }
}
