import { describe, expect, it } from 'vitest'
import { judgeRoutes, limits } from '../../../src/confinement/judge-routes.js'
import { placeholderProblem } from '../../../src/confinement/placeholders.js'
import { literal } from '../../../src/endpoints/literal.js'
import { allowedHandlers, allowedMatches } from './hostile.js'

const refusalOf = (...handle: unknown[]) => judgeRoutes([{ handle }])
const proxy = (rest: object = {}) => ({ handler: 'reverse_proxy', upstreams: [{ dial: '{moat.dial.3000}' }], ...rest })

describe('judgeRoutes', () => {
  it.each(allowedHandlers)('lets through $handler: %j', (handler) => {
    const routes = [{ handle: [handler], match: allowedMatches }]
    expect(judgeRoutes(routes)).toEqual({ routes })
  })

  it.each([
    [
      { handler: 'file_server', root: '/etc' },
      'handler',
      /^"file_server" is not a handler that routes may have; they may have auth/,
    ],
    [{ handler: 'constructor' }, 'handler', /^"constructor" is not a handler/],
    [{}, 'handler', /^"undefined" is not a handler/],
    [{ handler: 'static_response', root: '/' }, '', /^the field "root" is not one that routes may have here$/],
    [{ Handler: 'file_server', handler: 'static_response' }, '', /^the field "Handler" is not one/],
    [
      proxy({ upstreams: [{ dial: 'unix//var/run/docker.sock' }] }),
      'upstreams[0].dial',
      /^must be \{moat\.dial\.PORT\} and nothing else/,
    ],
    [proxy({ upstreams: [{ dial: '127.0.0.1:2019' }] }), 'upstreams[0].dial', /^must be/],
    [proxy({ upstreams: [{ dial: 'unix/{moat.dial.3000}' }] }), 'upstreams[0].dial', /^must be/],
    [proxy({ upstreams: [{ dial: '{moat.dial.3000}\n' }] }), 'upstreams[0].dial', /^must be/],
    [proxy({ upstreams: [] }), 'upstreams', /is not what routes may have here$/],
    [proxy({ upstreams: undefined }), 'upstreams', /^is missing$/],
    [proxy({ dynamic_upstreams: { source: 'srv' } }), '', /^the field "dynamic_upstreams"/],
    [proxy({ health_checks: { active: { port: 2019 } } }), 'health_checks', /^the field "active"/],
    [proxy({ transport: { protocol: 'fastcgi', root: '/' } }), 'transport.protocol', /^"fastcgi" is not what/],
    [
      proxy({ transport: { forward_proxy_url: 'http://x', protocol: 'http' } }),
      'transport',
      /^the field "forward_proxy_url"/,
    ],
    [
      proxy({ transport: { protocol: 'http', tls: { client_certificate_file: '/x' } } }),
      'transport.tls',
      /^the field "client_cert/,
    ],
    [
      proxy({ handle_response: [{ routes: [{ handle: [{ handler: 'templates' }] }] }] }),
      'handle_response[0].routes[0].handle[0].handler',
      /^"templates" is not/,
    ],
    [
      { handler: 'subroute', errors: { routes: [{ handle: [{ handler: 'push' }] }] } },
      'errors.routes[0].handle[0].handler',
      /^"push" is not/,
    ],
    [{ handler: 'vars', moat_dial: 'x' }, '', /^"moat_dial" must begin with x_/],
    [{ client_ip: 'x', handler: 'vars' }, '', /^"client_ip" must begin with x_/],
    [
      { destinations: ['{moat.dial}'], handler: 'map', source: '' },
      'destinations[0]',
      /^names the placeholder \{moat\.dial\}/,
    ],
    [
      { defaults: ['{x_a}'], destinations: ['{x_a}'], handler: 'map', source: '' },
      'defaults[0]',
      /^names \{x_a\}, which is what a map sets/,
    ],
    [{ handler: 'headers', request: { set: { hOST: ['x'] } } }, 'request.set', /^"hOST" cannot be changed here/],
    [{ handler: 'headers', request: { delete: ['H*'] } }, 'request.delete', /^"H\*" is not the name of one header$/],
    [
      { handler: 'headers', request: { set: { 'X-Moat-Run': ['x'] } } },
      'request.set',
      /^"X-Moat-Run" is one of moat's own/,
    ],
    [{ handler: 'rewrite', method: 'CONNECT' }, 'method', /^is not a method/],
    [{ handler: 'rewrite', uri: '/a{http.request.uri}' }, 'uri', /^has a placeholder in its path/],
    [{ handler: 'rewrite', uri: '/a{http.request.header.X}?b' }, 'uri', /^has a placeholder in its path/],
    [
      { body: '{env.HOME}', handler: 'static_response' },
      'body',
      /^names the placeholder \{env\.HOME\}, which routes may not$/,
    ],
    [{ handler: 'static_response', headers: { '{file./etc/passwd}': ['x'] } }, 'headers', /^the field "\{file/],
    [
      {
        handler: 'authentication',
        providers: {
          http_basic: {
            accounts: [{ password: `$2b$31$${'a'.repeat(53)}`, username: 'a' }],
            hash: { algorithm: 'bcrypt' },
          },
        },
      },
      'providers.http_basic.accounts[0].password',
      /^is not a bcrypt hash/,
    ],
  ])('refuses %j', (handler, path, reason) => {
    const place = `routes[0].handle[0]${path === '' ? '' : `.${path}`}`
    expect(refusalOf(handler)).toEqual({ path: place, refused: expect.stringMatching(reason) })
  })

  it.each([
    [{ expression: "file('/etc/passwd')" }, 'the field "expression"'],
    [{ file: { root: '/' } }, 'the field "file"'],
    [{ vars_regexp: { x_a: { pattern: '.' } } }, 'the field "vars_regexp"'],
    [{ vars: { moat_dial: ['x'] } }, '"moat_dial" must begin with x_'],
    [{ not: [{ file: {} }] }, 'the field "file"'],
  ])('refuses to match by %j', (match, reason) => {
    expect(judgeRoutes([{ handle: [], match: [match] }])).toEqual({
      path: expect.stringMatching(/^routes\[0\]\.match\[0\]/),
      refused: expect.stringContaining(reason),
    })
  })

  it.each([
    ['a group of moat’s', [{ group: 'endpoint', handle: [] }], 'must begin with x_'],
    ['too many values', [{ handle: Array.from({ length: limits.values }, () => 1) }], 'have more than'],
    [
      'a field of the prototype',
      JSON.parse('[{"handle":[],"__proto__":{}}]'),
      'has a field that is not one of a route',
    ],
    ['what is no list', 'x', 'is not what routes may have here'],
    ['nothing', undefined, 'is not what routes may have here'],
    [
      'a circle',
      (() => {
        const circle: unknown[] = []
        circle.push(circle)
        return circle
      })(),
      'circular',
    ],
  ])('refuses %s', (_, routes, reason) => {
    expect(judgeRoutes(routes)).toMatchObject({ refused: expect.stringContaining(reason) })
  })

  it('refuses what is nested without end, and does not fall over it', () => {
    let routes: unknown[] = []
    for (let depth = 0; depth < 1_500; depth += 1) routes = [{ handle: [{ handler: 'subroute', routes }] }]
    expect(judgeRoutes(routes)).toMatchObject({ refused: 'are nested more than 40 deep' })
  })

  it('gives back the plain data it has judged, not what may answer otherwise the next time', () => {
    let asked = 0
    const handler = {
      body: 'ok',
      get handler() {
        asked += 1
        return asked > 1 ? 'file_server' : 'static_response'
      },
    }
    expect(refusalOf(handler)).toEqual({ routes: [{ handle: [{ body: 'ok', handler: 'static_response' }] }] })
  })
})

describe('placeholderProblem', () => {
  it.each(['{env.HOME}', 'a\\{b}', '{{}}', '{', '\\{file./x\\}', 'no\\\\{x}'])(
    'has nothing against %j once it is literal',
    (text) => {
      expect(placeholderProblem(literal(text))).toBeUndefined()
    },
  )

  it.each([
    '{file./etc/passwd}',
    '{file./etc/passwd\\}',
    '{{file./etc/passwd}',
    '{x{env.HOME}}',
    '{a\\}{env.HOME}',
    '{env.HOME:x}',
    '{http.vars.moat_dial}',
    '{http.request.local}',
    '{http.request.header.X-Moat-Run}',
    '{http.request.body}',
    '{',
    '{"a":1}',
    '{unknown}',
    '{http.request.tls.client.subject}',
    '{http.reverse_proxy.upstream.address}',
    '\\}{env.HOME}',
  ])('refuses %j', (text) => {
    expect(placeholderProblem(text)).toBeDefined()
  })

  it.each([
    '{http.request.uri.query.a}{http.request.header.User-Agent}',
    '}',
    '\\{',
    '{http.regexp.file.1}',
    '{time.now.year}',
    '{moat.dial.3000}',
    '{http.request.uri.path.0}',
    '{http.error.status_code}',
    '{http.vars.x_tenant}',
    '{http.request.cookie.session}',
  ])('lets through %j', (text) => {
    expect(placeholderProblem(text)).toBeUndefined()
  })
})
