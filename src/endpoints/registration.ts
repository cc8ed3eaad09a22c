// Owns checking what plugins return from the registration hook, before any of it is acted upon.
import { z } from 'zod'
import {
  isHost,
  isProtocolName,
  ownPathProblem,
  pathProblem,
  textProblem,
  urlProblem,
} from '../confinement/judge-endpoint.js'
import { judgeRoutes } from '../confinement/judge-routes.js'
import { MoatError } from '../errors.js'
import type { EndpointRegistration } from './contract.js'

const port = z.int().min(1).max(65_535)
const inside = checked(pathProblem)
const shown = checked(textProblem)

const schema = z.array(
  z.strictObject({
    columns: z.exactOptional(z.record(shown, shown)),
    default: z.exactOptional(z.boolean()),
    endpoint: z.string(),
    env: z.exactOptional(z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.string())),
    files: z.exactOptional(z.strictObject({ browse: z.boolean(), fallback: z.exactOptional(inside), root: inside })),
    links: z.exactOptional(z.array(z.strictObject({ title: shown, url: shown }))),
    named: z.exactOptional(
      z.strictObject({
        alpn: z.exactOptional(z.array(z.string().check(z.refine(isProtocolName, 'is not the name of a protocol')))),
        port,
        start: z.exactOptional(z.enum(['postgres'])),
      }),
    ),
    port: z.exactOptional(port),
    ports: z.exactOptional(
      z.array(z.strictObject({ hostPort: z.exactOptional(z.union([port, z.literal('stable')])), port })),
    ),
    readiness: z.exactOptional(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('http'), path: checked(ownPathProblem) }),
        z.strictObject({ kind: z.literal('none') }),
        z.strictObject({ kind: z.literal('tcp'), port }),
      ]),
    ),
    // Judged by themselves, which says more than a schema would.
    routes: z.unknown().optional(),
    upstream: z.exactOptional(
      z.strictObject({
        host: z.exactOptional(z.string().refine(isHost, 'is not the name of a host')),
        port,
        protocol: z.exactOptional(z.enum(['http', 'https', 'h2c'])),
      }),
    ),
    url: z.exactOptional(checked(urlProblem)),
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
  const registrations = parsed.data.map((one) => withRoutes(plugin, one))
  for (const [index, { endpoint }] of registrations.entries()) {
    if (!expected.includes(endpoint)) throw failure(plugin, `the endpoint ${endpoint} is not of one of its types`)
    const first = registrations.findIndex((other) => other.endpoint === endpoint)
    if (first < index) throw failure(plugin, `it registers the endpoint ${endpoint} twice`)
  }
  const missing = expected.find((name) => !registrations.some(({ endpoint }) => endpoint === name))
  if (missing !== undefined) throw failure(plugin, `it does not register the endpoint ${missing}`)
  return registrations
}

/** With its routes as the plain data that was judged. */
function withRoutes(plugin: string, registration: z.infer<typeof schema>[number]): EndpointRegistration {
  const { routes, ...rest } = registration
  if (routes === undefined) return rest
  const judged = judgeRoutes(routes)
  if ('refused' in judged) throw failure(plugin, `endpoint ${rest.endpoint}, ${judged.path}: ${judged.refused}`)
  return { ...rest, routes: judged.routes }
}

/** Text about which `problemOf` says what is wrong. */
function checked(problemOf: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = problemOf(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

function failure(plugin: string, reason: string): MoatError {
  return new MoatError('PLUGIN_FAILED', `Plugin ${plugin} returned an invalid registration: ${reason}.`, {
    suggestions: [`moat plugins inspect ${plugin}`],
  })
}
