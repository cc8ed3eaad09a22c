// Owns the endpoint type `static`: its options, and what they mean to the proxy.
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { EndpointRegistration, EndpointType } from 'moat-cli/plugin'
import { z } from 'zod'

const inWorkspace = z
  .string('must be a directory of the workspace, such as coverage')
  .min(1, 'is empty; it must be a directory of the workspace, such as coverage')
  .refine((path) => !path.startsWith('/'), 'must be relative to the workspace, not an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must stay in the workspace: ".." leads out of it')

const options = z.strictObject({
  browse: z.boolean('must be true or false').default(false),
  default: z.boolean('must be true or false').optional(),
  path: inWorkspace,
  spa: z.boolean('must be true or false').default(false),
})

export type StaticOptions = z.infer<typeof options>

export const type: EndpointType<StaticOptions> = { name: 'static', options }

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
