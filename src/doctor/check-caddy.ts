// Owns the check of Caddy: that there is one new enough, and which modules it has besides its standard ones.
import { join } from 'node:path'
import { addedModules } from '../caddy/caddy-abilities.js'
import { findCaddy } from '../caddy/find-caddy.js'
import { layer4Modules } from '../caddy/front.js'
import { resolveCaddyMirror } from '../config/settings.js'
import { type DoctorContext, type Finding, failure, ok, warn } from './diagnosis.js'

export async function checkCaddy({
  env,
  paths,
  platform,
}: Pick<DoctorContext, 'env' | 'paths' | 'platform'>): Promise<Finding[]> {
  try {
    const { path, version } = await findCaddy({ env, paths, platform })
    const modules = (await addedModules(path)) ?? []
    const found = ok('caddy', `Caddy ${version} at ${path}${describeAdded(modules)}.`)
    if (layer4Modules.every((name) => modules.includes(name))) return [found]
    return [found, await withoutLayer4(path, { env, paths })]
  } catch (error) {
    // The one that MOAT_CADDY names is the user's own: a download would not be used.
    return [failure('caddy', error, env.MOAT_CADDY ? undefined : { kind: 'caddy' })]
  }
}

function describeAdded(modules: readonly string[]): string {
  // Those of layer4 are dozens.
  const others = modules.filter((name) => !/^(layer4|caddy\.listeners\.layer4|tls\.handshake_match\.alpn)/.test(name))
  const added = modules.includes('caddy.listeners.layer4') ? ['layer4', ...others] : others
  return added.length > 0 ? `, with ${added.join(', ')}` : ''
}

/** It does without. A download would not be used in the place of the one that MOAT_CADDY names, nor bring more from the same mirror. */
async function withoutLayer4(path: string, { env, paths }: Pick<DoctorContext, 'env' | 'paths'>): Promise<Finding> {
  const missing = 'This Caddy has no layer4 module: http:// is redirected to https://, and databases have no names.'
  if (env.MOAT_CADDY) return warn('layer4', missing, ['unset MOAT_CADDY && moat setup'])
  const mirror = await resolveCaddyMirror({ configFile: paths.configFile, env }).catch(() => undefined)
  if (mirror !== undefined && path === join(paths.bin, 'caddy'))
    return warn('layer4', `${missing} It is from your mirror.`, ['unset MOAT_CADDY_MIRROR && moat setup'])
  return warn('layer4', missing, ['moat setup'], { kind: 'caddy' })
}
