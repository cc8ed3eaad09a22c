// Owns the labels of the confinement tests: what plugins really make, and what somebody would rather have made of it.
import fc from 'fast-check'

type Json = Record<string, unknown>

/** Each is allowed as it stands. */
export const allowedHandlers: Json[] = [
  {
    body: 'ok \\{file./etc/passwd\\}',
    handler: 'static_response',
    headers: { 'X-A': ['{http.request.host}'] },
    status_code: 200,
  },
  { handler: 'static_response', headers: { Location: ['/b'] }, status_code: '{http.error.status_code}' },
  { error: 'no', handler: 'error', status_code: 403 },
  {
    handler: 'headers',
    request: {
      add: { 'X-B': ['c'] },
      delete: ['X-C'],
      replace: { 'X-D': [{ replace: 'b', search_regexp: 'a{2,3}' }] },
      set: { 'X-A': ['b'] },
    },
    response: {
      deferred: true,
      delete: ['X-*'],
      require: { status_code: [2] },
      set: { 'X-E': ['{http.request.uuid}'] },
    },
  },
  { handler: 'rewrite', uri: '/a\\{b\\}?c={http.request.header.X-C}' },
  {
    handler: 'rewrite',
    method: 'GET',
    path_regexp: [{ find: '/{2,}', replace: '/' }],
    query: { set: [{ key: 'a', val: 'b' }] },
  },
  { handler: 'vars', x_tenant: '{http.request.host.labels.2}' },
  {
    defaults: ['none'],
    destinations: ['{x_color}'],
    handler: 'map',
    mappings: [
      { input: 'a', outputs: ['red'] },
      { input_regexp: '^b{2}(.*)$', outputs: ['$1'] },
    ],
    source: '{http.request.header.X-Color}',
  },
  { encodings: { gzip: { level: 5 }, zstd: {} }, handler: 'encode', minimum_length: 100 },
  { handler: 'request_body', max_size: 1000 },
  {
    handle_response: [
      { match: { status_code: [404] }, routes: [{ handle: [{ body: 'none', handler: 'static_response' }] }] },
    ],
    handler: 'intercept',
  },
  {
    handler: 'authentication',
    providers: {
      http_basic: {
        accounts: [{ password: '$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234', username: 'ann' }],
        hash: { algorithm: 'bcrypt' },
        hash_cache: {},
        realm: 'moat',
      },
    },
  },
  {
    handle_response: [{ routes: [{ handle: [{ handler: 'copy_response' }] }] }],
    handler: 'reverse_proxy',
    headers: { request: { set: { Host: ['localhost:3000'] } } },
    load_balancing: { selection_policy: { policy: 'first' }, try_duration: '5s' },
    transport: { protocol: 'http', tls: { insecure_skip_verify: true }, versions: ['1.1'] },
    upstreams: [{ dial: '{moat.dial.3000}' }],
  },
  {
    errors: { routes: [{ handle: [{ body: '{http.error.message}', handler: 'static_response' }] }] },
    handler: 'subroute',
    routes: [{ group: 'x_one', handle: [], match: [{ path: ['/a'] }], terminal: true }],
  },
]

export const allowedMatches: Json[] = [
  { method: ['GET'], path: ['/a/*'] },
  { path_regexp: { name: 'file', pattern: '^/a{2}(.*)' } },
  { header: { Accept: ['*json*'], 'X-A': null }, query: { a: ['*'] } },
  { not: [{ host: ['web.b.localhost'] }] },
  { vars: { '{http.request.header.X-A}': ['b'], x_tenant: ['c'] } },
  { client_ip: { ranges: ['127.0.0.1/8'] }, protocol: 'https', remote_ip: { ranges: ['::1'] } },
]

/** What would read or reach something that is not the agent's. */
const sockets = ['unix//var/run/docker.sock', 'unix//home/ann/.moat/proxy/admin.sock', 'unix/@x', 'fd/3']
export const hostileTexts = [
  ...sockets,
  '{env.HOME}',
  '{file./etc/passwd}',
  '{{file./etc/passwd}',
  '\\{{file./etc/passwd}',
  '\\\\{file./etc/passwd}x\\{',
  '{file./etc/passwd\\}',
  '{a\\}{file./etc/passwd}',
  '{x{env.HOME}}',
  '{http.request.uri}{file./etc/passwd}',
  '{file.{http.request.header.X-Path}}',
  '{system.hostname}',
  '{http.vars.moat_dial}',
  '{http.vars.root}',
  '{http.request.local}',
  '{x_color}',
  '127.0.0.1:2019',
  '127.0.0.1:50002',
  'unix/{moat.dial.3000}',
  '{moat.dial.3000}@127.0.0.1:2019',
  '{moat.dial.3000}{moat.dial.3000}',
  '{moat.dial.22}',
  '{MOAT.DIAL.3000}',
  '/etc',
  '../..',
  'a\0b',
  'javascript:alert(1)',
  'web.b.localhost',
]

const hostileHandlers: Json[] = [
  { handler: 'file_server', root: '/etc' },
  { handler: 'templates', file_root: '/' },
  { handler: 'reverse_proxy', upstreams: [{ dial: 'unix//var/run/docker.sock' }] },
  { dynamic_upstreams: { name: 'localhost', port: '2019', source: 'a' }, handler: 'reverse_proxy' },
  {
    handler: 'reverse_proxy',
    transport: { protocol: 'fastcgi', root: '/' },
    upstreams: [{ dial: '{moat.dial.3000}' }],
  },
  { client_ip: '10.0.0.1', handler: 'vars', moat_dial: '127.0.0.1:2019', root: '/' },
  { destinations: ['{moat.dial}'], handler: 'map', mappings: [], source: '' },
  { destinations: ['{x_color}'], defaults: ['{x_color}'], handler: 'map', source: '{x_color}' },
  { handler: 'headers', request: { delete: ['H*'], set: { hOST: ['web.b.localhost'] } } },
  { handler: 'acme_server' },
  { handler: 'invoke', name: 'moat' },
  { handler: 'metrics' },
  { handler: 'log_append', key: 'a', value: '{env.HOME}' },
  { handler: 'push', resources: [] },
  { handler: 'constructor' },
  { handler: '__proto__' },
]

const hostileFields = [
  ['@id', 'x'],
  ['__proto__', { handler: 'file_server' }],
  ['dial', 'unix//var/run/docker.sock'],
  ['dynamic_upstreams', { source: 'srv' }],
  ['expression', "file('/etc/passwd')"],
  ['file', { root: '/etc' }],
  ['file_root', '/'],
  ['forward_proxy_url', 'http://127.0.0.1:2019'],
  ['group', 'endpoint'],
  ['Handler', 'file_server'],
  ['health_checks', { active: { port: 2019, uri: '/config/' } }],
  ['Host', ['web.b.localhost']],
  ['local_address', '127.0.0.1'],
  ['moat_dial', '127.0.0.1:2019'],
  ['root', '/etc'],
  ['tls', { client_certificate_file: '/home/ann/.moat/proxy/ca/ca.crt' }],
  ['upstreams', [{ dial: '127.0.0.1:2019' }]],
  ['vars_regexp', { x: { pattern: '.' } }],
] as const

const hostileValue = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.constantFrom<unknown>(...hostileHandlers),
  fc.constantFrom<unknown>(null, -1, 1e30, true, [], {}),
  fc.string({ maxLength: 12, unit: fc.constantFrom('{', '}', '\\', 'env.HOME', 'file.', '/', 'x_', '.', 'a') }),
)

interface Change {
  at: number
  field: readonly [string, unknown]
  kind: 'add' | 'replace'
  value: unknown
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(200),
  field: fc.constantFrom<readonly [string, unknown]>(...hostileFields),
  kind: fc.constantFrom('add' as const, 'replace' as const),
  value: hostileValue,
})

const route = fc.record({
  handle: fc.array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...allowedHandlers), weight: 12 },
      { arbitrary: fc.constantFrom(...hostileHandlers), weight: 1 },
    ),
    { maxLength: 3, minLength: 1 },
  ),
  match: fc.array(fc.constantFrom(...allowedMatches), { maxLength: 2 }),
})

/** Routes as a label could have them, changed in up to three places. */
export const routes: fc.Arbitrary<unknown[]> = fc
  .tuple(fc.array(route, { maxLength: 3, minLength: 1 }), fc.array(change, { maxLength: 3 }))
  .map(([all, changes]) => changes.reduce<unknown>(changed, all) as unknown[])

/** A copy of a value with one of its places changed. */
function changed(value: unknown, { at, field, kind, value: hostile }: Change): unknown {
  const copy = JSON.parse(JSON.stringify(value)) as unknown
  const places = placesOf(copy)
  const [owner, key] = places[at % Math.max(places.length, 1)] ?? []
  if (!owner || key === undefined) return copy
  const [name, inner] = kind === 'add' ? field : [key, hostile]
  // Not by assignment, which would take `__proto__` for what it is to JavaScript.
  Object.defineProperty(owner, name, { configurable: true, enumerable: true, value: inner, writable: true })
  return copy
}

function placesOf(value: unknown): [object, string][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[value, key] as [object, string], ...placesOf(inner)])
}
