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
        redirects: z.exactOptional(z.literal('keep')),
      }),
    ),
    url: z.exactOptional(checked(urlProblem)),
  }),
)

/**
 * The registrations of one plugin, one for each of `expected`, the endpoints of its types. Throws PLUGIN_FAILED, naming
 * plugin and endpoints, for anything else.
 */
export function checkRegistrations(
  plugin: string,
  result: unknown,
  expected: readonly string[],
): EndpointRegistration[] {
  const parsed = schema.safeParse(result ?? [])
  const raw = (Array.isArray(result) ? result : []) as ({ endpoint?: unknown; routes?: unknown } | null)[]
  const judged = raw.map((one) => (one?.routes === undefined ? undefined : judgeRoutes(one.routes)))
  const reasons = [
    ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, raw)),
    ...judged.flatMap((one, index) =>
      one && 'refused' in one ? [`endpoint ${String(raw[index]?.endpoint)}, ${one.path}: ${one.refused}`] : [],
    ),
    // Of what is no list, nothing more can be said.
    ...(Array.isArray(result ?? []) ? namesProblems(raw, expected) : []),
  ]
  if (!parsed.success || reasons.length > 0) throw failure(plugin, reasons.join('; '))
  return parsed.data.map(({ routes: _, ...rest }, index) => {
    const routes = judged[index]
    return routes && 'routes' in routes ? { ...rest, routes: routes.routes } : rest
  })
}

function describeIssue({ message, path: [index, ...path] }: z.core.$ZodIssue, raw: readonly unknown[]): string {
  const name = (raw[Number(index)] as { endpoint?: unknown } | null | undefined)?.endpoint
  const place = [...(name === undefined ? [] : [`endpoint ${String(name)}`]), ...path.map(String)].join(', ')
  return `${place === '' ? '' : `${place}: `}${message}`
}

function namesProblems(raw: readonly ({ endpoint?: unknown } | null)[], expected: readonly string[]): string[] {
  const names = raw.flatMap((one) => (typeof one?.endpoint === 'string' ? [one.endpoint] : []))
  const foreign = [...new Set(names)].filter((name) => !expected.includes(name))
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) < index))]
  return [
    ...foreign.map((name) => `the endpoint ${name} is not of one of its types`),
    ...twice.map((name) => `it registers the endpoint ${name} twice`),
    ...expected.filter((name) => !names.includes(name)).map((name) => `it does not register the endpoint ${name}`),
  ]
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
