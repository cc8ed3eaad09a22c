// Owns checking what plugins return from the registration hook, before any of it is acted upon.
import { z } from 'zod'
import { MoatError } from '../errors.js'
import type { EndpointRegistration } from './contract.js'

const port = z.int().min(1).max(65_535)
/** Of all routes of an endpoint, as JSON. */
const mostCharacters = 100_000
/** Relative, and below what it is relative to. */
const inside = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'leaves the directory it starts from')

const schema = z.array(
  z.strictObject({
    columns: z.exactOptional(z.record(z.string(), z.string())),
    default: z.exactOptional(z.boolean()),
    endpoint: z.string(),
    env: z.exactOptional(z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.string())),
    files: z.exactOptional(z.strictObject({ browse: z.boolean(), fallback: z.exactOptional(inside), root: inside })),
    links: z.exactOptional(z.array(z.strictObject({ title: z.string(), url: z.string() }))),
    port: z.exactOptional(port),
    ports: z.exactOptional(
      z.array(z.strictObject({ hostPort: z.exactOptional(z.union([port, z.literal('stable')])), port })),
    ),
    readiness: z.exactOptional(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('http'), path: z.string().startsWith('/') }),
        z.strictObject({ kind: z.literal('none') }),
        z.strictObject({ kind: z.literal('tcp'), port }),
      ]),
    ),
    routes: z.exactOptional(
      z
        .array(z.looseObject({ handle: z.array(z.looseObject({ handler: z.string() })) }))
        .refine(
          // Caddy indexes the whole config by them: one that stands twice has it refuse all of it.
          (routes) => !JSON.stringify(routes).includes('"@id"'),
          'may not have an @id',
        )
        .refine(
          (routes) => JSON.stringify(routes).length <= mostCharacters,
          `are longer than ${mostCharacters} characters, which is more than a label should carry`,
        ),
    ),
    upstream: z.exactOptional(z.strictObject({ port, protocol: z.exactOptional(z.enum(['http', 'https', 'h2c'])) })),
    url: z.exactOptional(z.string().regex(/^[a-z][a-z0-9+.-]*:\/\//, 'is not a URL')),
  }),
)

/**
 * The registrations of one plugin, one for each of `expected`, the endpoints of its types. Throws PLUGIN_FAILED, naming
 * plugin and endpoint, for anything else.
 */
export function checkRegistrations(
  plugin: string,
  result: unknown,
  expected: readonly string[],
): EndpointRegistration[] {
  const parsed = schema.safeParse(result ?? [])
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const [index, ...path] = issue?.path ?? []
    const name = (result as { endpoint?: unknown }[] | undefined)?.[Number(index)]?.endpoint
    const place = [...(name === undefined ? [] : [`endpoint ${String(name)}`]), ...path.map(String)].join(', ')
    throw failure(plugin, `${place === '' ? '' : `${place}: `}${issue?.message ?? 'it is malformed'}`)
  }
  const registrations = parsed.data as EndpointRegistration[]
  for (const [index, { endpoint }] of registrations.entries()) {
    if (!expected.includes(endpoint)) throw failure(plugin, `the endpoint ${endpoint} is not of one of its types`)
    const first = registrations.findIndex((other) => other.endpoint === endpoint)
    if (first < index) throw failure(plugin, `it registers the endpoint ${endpoint} twice`)
  }
  const missing = expected.find((name) => !registrations.some(({ endpoint }) => endpoint === name))
  if (missing !== undefined) throw failure(plugin, `it does not register the endpoint ${missing}`)
  return registrations
}

function failure(plugin: string, reason: string): MoatError {
  return new MoatError('PLUGIN_FAILED', `Plugin ${plugin} registers its endpoints wrongly: ${reason}.`, {
    suggestions: [`moat plugins inspect ${plugin}`],
  })
}
