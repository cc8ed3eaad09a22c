// Owns the check of Caddy: that there is one new enough, and which modules it has besides its standard ones.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findCaddy } from '../caddy/find-caddy.js'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { type DoctorContext, type Finding, failure, ok } from './diagnosis.js'

export async function checkCaddy({
  env,
  paths,
  platform,
}: Pick<DoctorContext, 'env' | 'paths' | 'platform'>): Promise<Finding[]> {
  try {
    const { path, version } = await findCaddy({ env, paths, platform })
    const modules = await addedModules(path)
    const added = modules.length > 0 ? `, with ${modules.join(', ')}` : ''
    return [ok('caddy', `Caddy ${version} at ${path}${added}.`)]
  } catch (error) {
    // The one that MOAT_CADDY names is the user's own: a download would not be used.
    return [failure('caddy', error, env.MOAT_CADDY ? undefined : { kind: 'caddy' })]
  }
}

/** Names of modules that were built in; none when this Caddy does not tell. */
async function addedModules(path: string): Promise<string[]> {
  try {
    const { stdout } = await startAsInvokingUser((ids) =>
      promisify(execFile)(path, ['list-modules', '--skip-standard'], { ...ids, timeout: 10_000 }),
    )
    return stdout.split('\n').filter((line) => /^[\w.]+$/.test(line))
  } catch {
    return []
  }
}
