// Owns the built-in endpoint type: a port in the container that speaks HTTP.
import { z } from 'zod'
import { leaf, portNumber } from '../config/schema-parts.js'
import { isHost } from '../confinement/judge-endpoint.js'
import { sentName } from '../confinement/schema-parts.js'
import type { CaddyRoute } from '../routing/agent.js'
import { isOfConnection } from '../routing/connection-headers.js'
import { basicAuthRoute } from './basic-auth.js'
import type { DeclaredEndpoint, EndpointRegistration, EndpointType } from './contract.js'

const protocols = ['http', 'https', 'h2c'] as const
/** What becomes of one to where the app believes that it is: it leads to the URL that was asked, or stays as it was sent. */
const redirects = ['correct', 'keep'] as const
/** RFC 9110: a header's name is a token. */
const headerName = /^[\w!#$%&'*+.^`|~-]+$/
const headerValue = leaf<null | string>('text on one line, or null to remove the header', (value) => {
  return value === null || (typeof value === 'string' && !/[\r\n\0]/.test(value))
})
const headers = z.record(z.string(), headerValue).superRefine((all, context) => {
  for (const name of Object.keys(all).filter((key) => !headerName.test(key))) {
    const message = `${JSON.stringify(name)} is not the name of a header`
    context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: [name] })
  }
})
const requestHeaders = headers.superRefine((all, context) => {
  for (const [name, value] of Object.entries(all)) {
    const problem = sentName(name) ?? ownHeader(name)
    const message = `${JSON.stringify(name)} ${problem}`
    if (problem !== undefined) context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: [name] })
    if (isHostName(name) && !isHost(value ?? ''))
      context.addIssue({ code: 'custom', message: 'must be a host such as localhost:3000', path: [name] })
  }
})

/** What the proxy tells the app itself, or what is of one connection alone: it would be lost without a word. */
function ownHeader(name: string): string | undefined {
  const isOwn = isOfConnection(name) || /^x-forwarded-(for|host|proto)$/i.test(name)
  return isOwn ? 'is set by the proxy itself, for each request' : undefined
}

/** bcrypt reads no more of it. */
const longestPassword = 72
/** Unlike other options it is not shown when it is wrong. */
const password = z.custom<string>(
  (value) => typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= longestPassword,
  `must be a password in quotes, of at most ${longestPassword} bytes`,
)

const options = z.strictObject({
  basic_auth: z
    .record(z.string().min(1), password, 'must be a mapping of users to passwords')
    .refine((users) => Object.keys(users).every((user) => !user.includes(':')), 'has a colon in the name of a user')
    .optional(),
  default: z.boolean('must be true or false').optional(),
  headers: z.strictObject({ request: requestHeaders.optional(), response: headers.optional() }).optional(),
  path: z
    .string()
    .regex(/^(\/[\w.~!$&'()+,;=:@-]+)+$/, 'must be a path such as /app, without a slash at its end')
    .optional(),
  port: portNumber(),
  protocol: z.enum(protocols, `must be one of ${protocols.join(', ')}`).optional(),
  redirects: z.enum(redirects, `must be one of ${redirects.join(', ')}`).optional(),
})

type HttpOptions = z.infer<typeof options>

export const http: EndpointType<HttpOptions> = { name: 'http', options }

/** Registers an `http` endpoint. `literal` is the registration hook's. */
export async function registerHttp(
  { name, options }: DeclaredEndpoint<HttpOptions>,
  literal: (text: string) => string,
): Promise<EndpointRegistration> {
  const { basic_auth: users, path, port, protocol } = options
  const { changes, host } = splitHost(options.headers)
  const routes: CaddyRoute[] = [
    ...(users ? [await basicAuthRoute(users, literal)] : []),
    ...(changes ? [headersRoute(changes, literal)] : []),
    ...(path === undefined ? [] : [prefixRoute(path)]),
  ]
  return {
    ...(options.default !== undefined && { default: options.default }),
    endpoint: name,
    // Nobody gets through to it without a password.
    ...(users && { readiness: { kind: 'tcp', port } }),
    ...(routes.length > 0 && { routes }),
    upstream: {
      ...(host !== undefined && { host }),
      port,
      ...(protocol && { protocol }),
      ...(options.redirects === 'keep' && { redirects: 'keep' as const }),
    },
  }
}

/** Requests outside `path` get it in front, so that `/` shows an app that lives under it, and its own links work too. */
function prefixRoute(path: string): CaddyRoute {
  // Caddy's own matching of paths takes capital letters for small ones.
  const within = `^${path.replace(/[.$()+]/g, '\\$&')}(/|$)`
  return {
    // A dollar would name a part of what was found.
    handle: [{ handler: 'rewrite', path_regexp: [{ find: '^', replace: path.replaceAll('$', '$$$$') }] }],
    match: [{ not: [{ path_regexp: { pattern: within } }] }],
  }
}

/**
 * The Host is for the app alone: what moat itself looks up by it, tells the app in X-Forwarded-Host and says on its pages is
 * the host that was asked for. So it is no change of the request.
 */
function splitHost(headers: HttpOptions['headers']): { changes: HttpOptions['headers']; host?: string } {
  const [name, host] = Object.entries(headers?.request ?? {}).find(([key]) => isHostName(key)) ?? []
  if (!headers?.request || name === undefined || typeof host !== 'string') return { changes: headers }
  const { [name]: _, ...request } = headers.request
  const left = Object.keys(request).length > 0
  const changes = { ...(left && { request }), ...(headers.response && { response: headers.response }) }
  return { changes: Object.keys(changes).length > 0 ? changes : undefined, host }
}

function isHostName(name: string): boolean {
  return name.toLowerCase() === 'host'
}

function headersRoute(
  { request, response }: NonNullable<HttpOptions['headers']>,
  literal: (text: string) => string,
): CaddyRoute {
  const operations = (changes: Record<string, null | string>) => {
    const names = Object.keys(changes)
    const set = names.flatMap((name) => (changes[name] === null ? [] : [[name, [literal(changes[name] ?? '')]]]))
    return { delete: names.filter((name) => changes[name] === null), set: Object.fromEntries(set) }
  }
  return {
    handle: [
      {
        handler: 'headers',
        ...(request && { request: operations(request) }),
        // Deferred, or what the app answers would come on top.
        ...(response && { response: { ...operations(response), deferred: true } }),
      },
    ],
  }
}
