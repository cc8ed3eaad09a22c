// Owns what stands beside `type: mock` in moat.yaml.
import { z } from 'zod'
import { keyPattern } from './key.js'

const headers = z
  .record(z.string(), z.string('must be text').regex(/^[^\r\n\0]*$/, 'must be on one line'))
  .superRefine(...checkKeys(/^[\w!#$%&'*+.^`|~-]+$/, 'is not the name of a header'))
const response = z.strictObject({
  body: z.unknown().optional(),
  headers: headers.optional(),
  status: z.int('must be an HTTP status from 200 to 599').min(200).max(599).optional(),
})

const routes = z
  .record(z.string(), response, 'must be a mapping such as {GET /users: {body: []}}')
  .superRefine(...checkKeys(keyPattern, 'is not a method and a path, such as "GET /users" or "* /api/*"'))

export const options = z.strictObject({ default: z.boolean('must be true or false').optional(), routes })

export type MockOptions = z.infer<typeof options>
export type MockResponse = z.infer<typeof response>

/** Checks every key, also when the values have problems of their own. */
function checkKeys(pattern: RegExp, problem: string) {
  const check = (mapping: Record<string, unknown>, context: z.RefinementCtx): void => {
    for (const key of Object.keys(mapping).filter((name) => !pattern.test(name))) {
      const message = `${JSON.stringify(key)} ${problem}`
      context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: [key] })
    }
  }
  return [check, { when: ({ value }: { value: unknown }) => value instanceof Object && !Array.isArray(value) }] as const
}
