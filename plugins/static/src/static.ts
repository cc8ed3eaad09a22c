// Owns the endpoint type `static`: what its options mean to the proxy.
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { EndpointRegistration, EndpointType } from 'moat-cli/plugin'
import type { StaticOptions } from './options.js'

/** Checked by zod, which takes longer to load than all else of this: it is loaded for who has such an endpoint. */
export const type: EndpointType<StaticOptions> = {
  name: 'static',
  options: {
    safeParseAsync: async (value) => {
      schema = (await import('./options.js')).options
      return schema.safeParseAsync(value)
    },
    get shape() {
      return schema?.shape ?? {}
    },
  },
}

let schema: typeof import('./options.js').options | undefined

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
