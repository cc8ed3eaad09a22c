import { compare } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { http, registerHttp } from '../../../src/endpoints/http.js'
import { literal } from '../../../src/endpoints/literal.js'
import { checkRegistrations } from '../../../src/endpoints/registration.js'

async function register(options: object) {
  const parsed = await http.options.safeParseAsync({ port: 3000, ...options })
  if (!parsed.success) throw new Error(parsed.error.issues.map(({ message }) => message).join())
  return registerHttp({ host: 'web.a.localhost', name: 'web', options: parsed.data, type: 'http' }, literal)
}

describe('http', () => {
  it('is a port and nothing else', async () => {
    expect(await register({})).toEqual({ endpoint: 'web', upstream: { port: 3000 } })
  })

  it('takes a protocol and whether it is the default', async () => {
    expect(await register({ default: true, protocol: 'h2c' })).toEqual({
      default: true,
      endpoint: 'web',
      upstream: { port: 3000, protocol: 'h2c' },
    })
  })

  it('has redirects to itself put right, unless they are to be kept', async () => {
    expect(await register({ redirects: 'correct' })).toStrictEqual({ endpoint: 'web', upstream: { port: 3000 } })
    const kept = await register({ redirects: 'keep' })
    expect(kept).toEqual({ endpoint: 'web', upstream: { port: 3000, redirects: 'keep' } })
    expect(checkRegistrations('moat-cli', [kept], ['web'])).toEqual([kept])
    await expect(register({ redirects: 'off' })).rejects.toThrow('must be one of correct, keep')
  })

  it('keeps hashes of passwords only', async () => {
    const registration = await register({ basic_auth: { ann: 's3cret' } })
    const text = JSON.stringify(registration)
    expect(text).not.toContain('s3cret')
    const hash = /"password":"([^"]+)"/.exec(text)?.[1] ?? ''
    expect(await compare('s3cret', hash)).toBe(true)
  })

  it('lets nothing in a header be filled in by Caddy', async () => {
    const { routes } = await register({ headers: { response: { 'X-A': '{env.HOME}', 'X-B': null } } })
    expect(routes).toEqual([
      {
        handle: [
          { handler: 'headers', response: { deferred: true, delete: ['X-B'], set: { 'X-A': ['\\{env.HOME\\}'] } } },
        ],
      },
    ])
  })

  it('has the container see another Host without a change of the request', async () => {
    expect(await register({ headers: { request: { hOST: 'localhost:3000' } } })).toEqual({
      endpoint: 'web',
      upstream: { host: 'localhost:3000', port: 3000 },
    })
    const { routes, upstream } = await register({ headers: { request: { Host: 'a.test', 'X-A': 'b' } } })
    expect(upstream).toEqual({ host: 'a.test', port: 3000 })
    expect(routes).toEqual([{ handle: [{ handler: 'headers', request: { delete: [], set: { 'X-A': ['b'] } } }] }])
  })

  it.each([
    {},
    {
      basic_auth: { ann: 'x' },
      headers: { request: { Host: 'a.test', 'X-A': '{b}' }, response: { 'X-*': null } },
      path: '/a',
    },
  ])('asks for nothing that routes may not have: %j', async (options) => {
    const registration = await register(options)
    expect(() => checkRegistrations('moat-cli', [registration], ['web'])).not.toThrow()
  })

  it.each([
    [
      { headers: { request: { 'x-forwarded-Host': 'a.test' } } },
      '"x-forwarded-Host" is set by the proxy itself, for each request',
    ],
    [{ headers: { request: { Upgrade: null } } }, '"Upgrade" is set by the proxy itself, for each request'],
    [{ headers: { request: { Host: null } } }, 'must be a host such as localhost:3000'],
    [{ headers: { request: { Host: '{env.HOME}' } } }, 'must be a host such as localhost:3000'],
    [{ headers: { request: { 'H*': null } } }, '"H*" is not the name of one header'],
    [{ headers: { request: { 'X-Moat-Run': 'x' } } }, '"X-Moat-Run" is one of moat\'s own headers'],
    [{ protocol: 'ftp' }, 'must be one of http, https, h2c'],
    [{ path: 'app' }, 'must be a path such as /app, without a slash at its end'],
    [{ path: '/app/' }, 'must be a path such as /app, without a slash at its end'],
    [{ path: '/{env.HOME}' }, 'must be a path such as /app, without a slash at its end'],
    [{ headers: { request: { 'X A': 'b' } } }, '"X A" is not the name of a header'],
    [{ headers: { request: { 'X-A': 'b\r\nX-B: c' } } }, 'must be text on one line, or null to remove the header, not'],
    [{ basic_auth: { ann: 'x'.repeat(73) } }, 'must be a password in quotes, of at most 72 bytes'],
    [{ basic_auth: { 'a:b': 'x' } }, 'has a colon in the name of a user'],
    [{ default: 'yes' }, 'must be true or false'],
    [{ port: 0 }, 'must be a port number from 1 to 65535, not 0'],
  ])('refuses %j', async (options, message) => {
    await expect(register(options)).rejects.toThrow(message)
  })
})
