// Owns what stands beside `type: static` in moat.yaml.
import { z } from 'zod'

const inWorkspace = z
  .string('must be a directory of the workspace, such as coverage')
  .min(1, 'is empty; it must be a directory of the workspace, such as coverage')
  .refine((path) => !path.startsWith('/'), 'must be relative to the workspace, not an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must stay in the workspace: ".." leads out of it')

export const options = z.strictObject({
  browse: z.boolean('must be true or false').default(false),
  default: z.boolean('must be true or false').optional(),
  path: inWorkspace,
  spa: z.boolean('must be true or false').default(false),
})

export type StaticOptions = z.infer<typeof options>
