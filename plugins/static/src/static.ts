// Owns the endpoint type `static`: what its options mean to the proxy.
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { EndpointRegistration, LateEndpointType } from 'moat-cli/plugin'
import type { StaticOptions } from './options.js'

export const type: LateEndpointType<StaticOptions> = {
  loadOptions: async () => (await import('./options.js')).options,
  name: 'static',
}

/**
 * Rejects when the directory is, by a symbolic link, outside of the workspace. It need not exist yet. What it becomes
 * later is looked at by the proxy, at each request.
 */
export async function register(
  endpoint: string,
  { browse, default: isDefault, path, spa }: StaticOptions,
  workspace: string,
): Promise<EndpointRegistration> {
  const outer = await realpath(workspace)
  const directory = await realpath(join(workspace, path)).catch(() => undefined)
  if (directory !== undefined && directory !== outer && !directory.startsWith(`${outer}${sep}`)) {
    throw new Error(
      `endpoint ${endpoint}: ${path} is a symbolic link that leads out of the workspace, to ${directory}.`,
    )
  }
  return {
    columns: { directory: path },
    ...(isDefault !== undefined && { default: isDefault }),
    endpoint,
    files: { browse, ...(spa && { fallback: 'index.html' }), root: path },
    readiness: { kind: 'none' },
  }
}
