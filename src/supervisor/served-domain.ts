// Owns which domain is served already when a supervisor starts.
import { CaddyAdmin } from '../caddy/admin.js'
import { domainOf } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'

/** The domain of a Caddy that outlived its supervisor: it goes on serving that one, whatever config.yaml says by now. */
export async function servedDomain({ adminSocket }: Pick<MoatPaths, 'adminSocket'>): Promise<string | undefined> {
  const admin = new CaddyAdmin(adminSocket)
  const config = (await admin.answers()) ? await admin.readConfig().catch(() => undefined) : undefined
  return config && domainOf(config)
}
