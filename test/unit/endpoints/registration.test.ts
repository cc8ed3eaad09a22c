import { describe, expect, it } from 'vitest'
import { checkRegistrations } from '../../../src/endpoints/registration.js'

const check = (result: unknown, expected = ['web']) => checkRegistrations('moat-x', result, expected)

describe('checkRegistrations', () => {
  it('gives back what is right', () => {
    const registration = {
      endpoint: 'web',
      files: { browse: false, fallback: 'index.html', root: '.' },
      ports: [{ hostPort: 'stable', port: 5432 }],
      routes: [{ handle: [{ handler: 'static_response' }], match: [{ path: ['/x'] }] }],
      url: 'postgres://{moat.address.5432}',
    }
    expect(check([registration])).toEqual([registration])
    expect(check(undefined, [])).toEqual([])
  })

  it.each([
    ['a list', 'web', 'Invalid input: expected array, received string'],
    ['a field that there is not', [{ endpoint: 'web', upstreams: [] }], 'endpoint web: Unrecognized key: "upstreams"'],
    [
      'a directory outside',
      [{ endpoint: 'web', files: { browse: false, root: '../x' } }],
      'endpoint web, files, root: leaves the directory it starts from',
    ],
    [
      'an absolute directory',
      [{ endpoint: 'web', files: { browse: false, root: '/etc' } }],
      'endpoint web, files, root: leaves the directory it starts from',
    ],
    [
      'a page outside',
      [{ endpoint: 'web', files: { browse: false, fallback: 'a/../../b', root: '.' } }],
      'endpoint web, files, fallback: leaves the directory it starts from',
    ],
    ['a route without handlers', [{ endpoint: 'web', routes: [{}] }], 'endpoint web, routes[0].handle: is missing'],
    [
      'an @id, which is of the whole config',
      [{ endpoint: 'web', routes: [{ '@id': 'x', handle: [] }] }],
      'endpoint web, routes[0]: may not have an @id: Caddy indexes its whole config by them',
    ],
    [
      'routes too long for a label',
      [{ endpoint: 'web', routes: [{ handle: [{ body: 'x'.repeat(100_001), handler: 'static_response' }] }] }],
      'endpoint web, routes: are longer than 100000 characters, which is more than a label should carry',
    ],
    [
      'a port that is none',
      [{ endpoint: 'web', ports: [{ port: 0 }] }],
      'endpoint web, ports, 0, port: Too small: expected number to be >=1',
    ],
    [
      'a variable that is none',
      [{ endpoint: 'web', env: { 'A B': 'x' } }],
      'endpoint web, env, A B: Invalid key in record',
    ],
    [
      'a handler that reads files',
      [
        {
          endpoint: 'web',
          routes: [
            {
              handle: [
                { handler: 'error' },
                { handler: 'reverse_proxy', upstreams: [{ dial: 'unix//var/run/docker.sock' }] },
              ],
            },
          ],
        },
      ],
      'endpoint web, routes[0].handle[1].upstreams[0].dial: must be {moat.dial.PORT} and nothing else: routes reach their own container only',
    ],
    [
      'an address that a browser runs',
      [{ endpoint: 'web', url: 'javascript://%0aalert(1)' }],
      'endpoint web, url: is a javascript: address, which browsers may run or read files with',
    ],
    [
      'a title on two lines',
      [{ endpoint: 'web', links: [{ title: 'a\nb', url: '/' }] }],
      'endpoint web, links, 0, title: has control characters in it',
    ],
    [
      'a path elsewhere',
      [{ endpoint: 'web', readiness: { kind: 'http', path: '//example.com' } }],
      'endpoint web, readiness, path: is not a path such as /health',
    ],
    [
      'a Host with a placeholder',
      [{ endpoint: 'web', upstream: { host: '{env.HOME}', port: 1 } }],
      'endpoint web, upstream, host: is not the name of a host',
    ],
    ['a URL that is none', [{ endpoint: 'web', url: '127.0.0.1' }], 'endpoint web, url: is not a URL'],
    [
      "somebody else's endpoint",
      [{ endpoint: 'web' }, { endpoint: 'api' }],
      'the endpoint api is not of one of its types',
    ],
    ['an endpoint twice', [{ endpoint: 'web' }, { endpoint: 'web' }], 'it registers the endpoint web twice'],
    ['nothing for an endpoint', [], 'it does not register the endpoint web'],
  ])('names the plugin and the endpoint for %s', (_, result, reason) => {
    expect(() => check(result)).toThrow(`Plugin moat-x returned an invalid registration: ${reason}.`)
  })
})
