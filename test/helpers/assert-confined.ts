// What a finished config of Caddy's may name, whoever asked for it: written without a look at how moat judges, so that a hole
// there is seen here.
import { asItWasSent } from '../../src/caddy/kept-request.js'

export interface Confines {
  /** By host, what may be dialled for it. */
  dialsOf: (host: string) => readonly string[]
  /** Sockets and directories that are moat's own, and where in the config they stand. */
  own: { dials: readonly string[]; roots: readonly string[] }
}

/** Handlers of Caddy that reach nothing but the request and what is dialled. */
const harmless = new Set(
  'authentication copy_response copy_response_headers encode error headers intercept map request_body rewrite static_response subroute vars'.split(
    ' ',
  ),
)
/** What Caddy fills in from files, the environment, the machine, and what moat and Caddy keep for themselves. */
const foreign = /^(env\.|file\.|system\.|http\.vars\.(?!x_|client_ip$)|http\.request\.local|caddy\.)/
const matchers = new Set(
  'client_ip header header_regexp host method not path path_regexp protocol query remote_ip status_code vars'.split(
    ' ',
  ),
)

/** Throws for the first thing that a config must not name. */
export function assertConfined(config: unknown, confines: Confines): void {
  for (const route of routesOf(config)) walkRoute(route, undefined, confines)
}

/** The routes of endpoint types in a config, each with the hosts they answer for. */
export function endpointRoutesOf(config: unknown): { host: string; routes: unknown[] }[] {
  return routesOf(config).flatMap((route) =>
    isEndpoints(route) ? routesIn(route).map((one) => ({ host: hostsOf(one)[0] ?? '', routes: routesIn(one) })) : [],
  )
}

type Json = Record<string, unknown>

/** Those of the server, and those in it that are for hosts of agents of which the config knows something. */
function routesOf(config: unknown): Json[] {
  const { routes } = (config as { apps: { http: { servers: { moat: { routes: Json[] } } } } }).apps.http.servers.moat
  return routes.flatMap((route) => {
    const [first, second] = route.handle as Json[]
    return first?.moat_connections !== undefined && second?.handler === 'subroute' ? (second.routes as Json[]) : [route]
  })
}

function walkRoute(route: Json, host: string | undefined, confines: Confines): void {
  if (isEndpoints(route)) {
    for (const inner of routesIn(route)) {
      const hosts = hostsOf(inner)
      for (const name of hosts) walkValue(routesIn(inner), name, confines, [name])
    }
    return
  }
  for (const { input, outputs } of mappingsIn(route)) {
    const [, dial] = outputs
    if (!confines.dialsOf(input).includes(String(dial))) throw new Error(`${input} is led to ${dial}`)
  }
  if (host !== undefined) walkValue(route, host, confines, [host])
}

/** What endpoint types had put into the config, all of it. */
function walkValue(value: unknown, host: string, confines: Confines, path: readonly string[]): void {
  if (typeof value === 'string') assertText(value, path)
  if (typeof value !== 'object' || value === null) return
  const all = value as Json
  const { handler } = all
  if (isOwn(all, confines)) return
  if (handler !== undefined && !harmless.has(String(handler)) && handler !== 'reverse_proxy')
    throw new Error(`${path.join('.')} has the handler ${handler}`)
  if (handler === 'reverse_proxy') assertProxy(all, host, confines, path)
  if (handler === 'vars' || handler === 'map') assertNames(all, path)
  if (handler === 'headers') assertHost(all, path)
  if (Array.isArray(all.match)) for (const set of all.match) assertMatchers(set, path)
  for (const [key, inner] of Object.entries(all)) {
    if (key === '@id') throw new Error(`${path.join('.')} has an @id`)
    if (key === 'group' && !/^x_/.test(String(inner))) throw new Error(`${path.join('.')} joins the group ${inner}`)
    assertText(key, path)
    walkValue(inner, host, confines, [...path, key])
  }
}

/** A handler that moat itself makes for files of a workspace. */
function isOwn(value: Json, { own }: Confines): boolean {
  if (JSON.stringify(value) === JSON.stringify(asItWasSent.handle[0])) return true
  if (value.handler === 'file_server') return own.roots.includes(String(value.root))
  if (value.handler !== 'reverse_proxy')
    return value.handler === 'vars' && 'moat_host' in value && Object.keys(value).length === 2
  const dials = (value.upstreams as Json[]).map(({ dial }) => String(dial))
  return (
    dials.length > 0 && dials.every((dial) => own.dials.includes(dial)) && JSON.stringify(value).includes('X-Moat-Run')
  )
}

function assertProxy(value: Json, host: string, { dialsOf }: Confines, path: readonly string[]): void {
  const place = path.join('.')
  for (const { dial } of (value.upstreams as Json[] | undefined) ?? [{ dial: 'nothing' }])
    if (!dialsOf(host).includes(String(dial))) throw new Error(`${place} dials ${dial}`)
  const transport = (value.transport ?? { protocol: 'http' }) as Json
  if (transport.protocol !== 'http') throw new Error(`${place} speaks ${transport.protocol}`)
  const risky = ['forward_proxy_url', 'local_address', 'network_proxy', 'proxy_protocol', 'resolver']
  const riskyTls = /"(ca|root_ca_\w+|client_certificate_\w+)":/
  if (risky.some((name) => name in transport) || riskyTls.test(JSON.stringify(transport)))
    throw new Error(`${place} has the transport ${JSON.stringify(transport)}`)
  if ('dynamic_upstreams' in value || 'active' in ((value.health_checks ?? {}) as Json))
    throw new Error(`${place} asks for addresses by itself`)
}

function assertNames(value: Json, path: readonly string[]): void {
  const names =
    value.handler === 'vars'
      ? Object.keys(value).filter((name) => name !== 'handler')
      : (value.destinations as string[])
  for (const name of names) if (!/^\{?x_/.test(name)) throw new Error(`${path.join('.')} sets ${name}`)
  if (value.handler === 'map' && /\{x_/.test(JSON.stringify({ ...value, destinations: [] })))
    throw new Error(`${path.join('.')} may ask for itself for ever`)
}

function assertHost(value: Json, path: readonly string[]): void {
  const { add = {}, delete: deleted = [], replace = {}, set = {} } = (value.request ?? {}) as Record<string, object>
  const names = [...Object.keys(add), ...Object.keys(set), ...Object.keys(replace), ...(deleted as string[])]
  for (const name of names)
    if (/[*{]|^host$/i.test(name)) throw new Error(`${path.join('.')} changes ${name} of the request`)
}

function assertMatchers(set: unknown, path: readonly string[]): void {
  for (const name of Object.keys((set ?? {}) as Json))
    if (!matchers.has(name)) throw new Error(`${path.join('.')} matches by ${name}`)
}

/** Every name that Caddy could come to look up in a text: at each opening brace without a backslash before it. */
export function lookedUp(text: string): string[] {
  const found: string[] = []
  for (let start = 0; start < text.length; start += 1) {
    if (text[start] !== '{' || text[start - 1] === '\\') continue
    let end = text.indexOf('}', start)
    while (end !== -1 && end < text.length - 1 && text[end - 1] === '\\') end = text.indexOf('}', end + 1)
    if (end !== -1) found.push(text.slice(start + 1, end))
  }
  return found
}

function assertText(text: string, path: readonly string[]): void {
  for (const name of lookedUp(text))
    if (foreign.test(name)) throw new Error(`${path.join('.')} names {${name}}: ${text}`)
}

/** The one route that moat makes for all endpoints with something special. */
function isEndpoints(route: Json): boolean {
  return routesIn(route).some(({ group }) => group === 'endpoint')
}

function routesIn(route: Json): Json[] {
  const [first] = (route.handle ?? []) as Json[]
  return first?.handler === 'subroute' ? ((first.routes ?? []) as Json[]) : []
}

function hostsOf(route: Json): string[] {
  return ((route.match as { host?: string[] }[] | undefined)?.[0]?.host ?? []) as string[]
}

function mappingsIn(route: Json): { input: string; outputs: unknown[] }[] {
  const [first] = (route.handle ?? []) as Json[]
  return first?.handler === 'map' ? (first.mappings as { input: string; outputs: unknown[] }[]) : []
}
