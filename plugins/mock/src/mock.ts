// Owns the endpoint type `mock`: a table from method and path to a fixed response.
import type { CaddyRoute, EndpointRegistration, LateEndpointType } from 'moat-cli/plugin'
import { keyPattern } from './key.js'
import type { MockOptions, MockResponse } from './options.js'

const noBody = 204
const json = 'application/json'

export const type: LateEndpointType<MockOptions> = {
  loadOptions: async () => (await import('./options.js')).options,
  name: 'mock',
}

/** The first row that fits answers; what fits none is answered 404. `literal` is the registration hook's. */
export function register(
  endpoint: string,
  { default: isDefault, routes: table }: MockOptions,
  literal: (text: string) => string,
): EndpointRegistration {
  return {
    ...(isDefault !== undefined && { default: isDefault }),
    endpoint,
    readiness: { kind: 'none' },
    routes: Object.entries(table).map(([key, row]) => toRoute(key, row, literal)),
  }
}

function toRoute(
  key: string,
  { body, headers: given = {}, status }: MockResponse,
  literal: (text: string) => string,
): CaddyRoute {
  const { method = '*', path = '/' } = keyPattern.exec(key)?.groups ?? {}
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
  const all = {
    ...(text !== undefined && { 'Content-Type': typeof body === 'string' ? 'text/plain; charset=utf-8' : json }),
    ...titled(given),
  }
  return {
    handle: [
      {
        ...(text !== undefined && { body: literal(text) }),
        handler: 'static_response',
        headers: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [literal(value)]])),
        status_code: status ?? (text === undefined ? noBody : 200),
      },
    ],
    match: [
      {
        path_regexp: { pattern: toPattern(path) },
        // As it was sent, with %2F for a slash that is none: the pattern sees what that stands for.
        ...(path.includes('%') && { path: [literal(path)] }),
        ...(method !== '*' && { method: method === 'GET' ? ['GET', 'HEAD'] : [method] }),
      },
    ],
  }
}

/** By a pattern, because Caddy's own matching of paths takes capital letters for small ones, and `*` for parts of a path. */
function toPattern(path: string): string {
  const parts = path.split('*').map((part) =>
    decoded(part)
      .replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
      .replace(/\/+/g, '/+'),
  )
  return `(?s)^${parts.join('.*')}$`
}

/** `part` without escapes such as %20; as it stands when they are none. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** `content-type` as `Content-Type`, so that it takes the place of the one moat would choose. */
function titled(given: Record<string, string>): Record<string, string> {
  const title = (name: string) => name.toLowerCase().replace(/(^|-)[a-z]/g, (part) => part.toUpperCase())
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [title(name), value]))
}
