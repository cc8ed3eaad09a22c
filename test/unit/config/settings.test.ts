// Owns where the proxy's port comes from, and the errors of config.yaml.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadSettings, resolveCaddyMirror, resolveProxyAddress } from '../../../src/config/settings.js'
import { asOrdinaryUser } from './as-user.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

async function configFile(text: string): Promise<string> {
  const file = join(await temporaryDirectory(), 'config.yaml')
  await writeFile(file, text)
  return file
}

describe('resolveCaddyMirror', () => {
  it('takes the variable, else the file, else none', async () => {
    const file = await configFile("caddy: {mirror: 'https://m.example/{os}'}")
    const env = { MOAT_CADDY_MIRROR: 'https://v.example' }
    expect(await resolveCaddyMirror({ configFile: file, env })).toBe('https://v.example')
    expect(await resolveCaddyMirror({ configFile: file, env: {} })).toBe('https://m.example/{os}')
    expect(await resolveCaddyMirror({ configFile: `${file}.absent`, env: {} })).toBeUndefined()
  })
})

describe('resolveProxyAddress', () => {
  it('takes the flag, else the variable, else the file, else 8080', async () => {
    const file = await configFile('proxy: {port: 9003}')
    const absent = `${file}.absent`
    const env = { MOAT_PROXY_PORT: '9002' }
    const flag = 9001
    expect(await resolveProxyAddress({ configFile: file, env, flag })).toEqual({
      domain: 'localhost',
      explicit: true,
      port: 9001,
      source: 'flag',
    })
    expect(await resolveProxyAddress({ configFile: file, env })).toEqual({
      domain: 'localhost',
      explicit: true,
      port: 9002,
      source: 'env',
    })
    expect(await resolveProxyAddress({ configFile: file, env: {} })).toEqual({
      domain: 'localhost',
      explicit: true,
      port: 9003,
      source: 'config',
    })
    expect(await resolveProxyAddress({ configFile: absent, env: {}, flag: undefined })).toEqual({
      domain: 'localhost',
      explicit: false,
      port: 8080,
      source: 'default',
    })
  })

  it('takes 0, any free port, from the flag and the variable', async () => {
    const file = await configFile('proxy: {port: 9003}')
    expect(await resolveProxyAddress({ configFile: file, env: {}, flag: 0 })).toEqual({
      domain: 'localhost',
      explicit: true,
      port: 0,
      source: 'flag',
    })
    expect(await resolveProxyAddress({ configFile: file, env: { MOAT_PROXY_PORT: '0' } })).toEqual({
      domain: 'localhost',
      explicit: true,
      port: 0,
      source: 'env',
    })
  })

  it('takes the domain from the file, wherever the port comes from', async () => {
    const file = await configFile('proxy: {domain: moat.test}')
    const found = { domain: 'moat.test', explicit: true, port: 9001, source: 'flag' }
    expect(await resolveProxyAddress({ configFile: file, env: {}, flag: 9001 })).toEqual(found)
    expect(await resolveProxyAddress({ configFile: file, env: {} })).toEqual({
      domain: 'moat.test',
      explicit: false,
      port: 8080,
      source: 'default',
    })
  })

  it('takes an empty variable for one that is not set', async () => {
    const file = await configFile('{}')
    expect((await resolveProxyAddress({ configFile: file, env: { MOAT_PROXY_PORT: '' } })).source).toBe('default')
  })

  it('takes every port from the variable as it stands', async () => {
    const file = await configFile('')
    await fc.assert(
      fc.asyncProperty(fc.integer({ max: 65_535, min: 0 }), async (port) => {
        const found = await resolveProxyAddress({ configFile: file, env: { MOAT_PROXY_PORT: String(port) } })
        expect(found).toEqual({ domain: 'localhost', explicit: true, port, source: 'env' })
      }),
      { numRuns: 50 },
    )
  })

  it.each(['three', '-1', '65536', '80.5', '8e3', '0x50', ' 80', '99999999'])(
    'refuses MOAT_PROXY_PORT=%s',
    async (value) => {
      const env = { MOAT_PROXY_PORT: value }
      const file = await configFile('')
      expect(await caught(() => resolveProxyAddress({ configFile: file, env }))).toEqual({
        code: 'INVALID_PORT',
        exit: 2,
        message: `MOAT_PROXY_PORT must be a port number from 1 to 65535, not "${value}".`,
        suggestions: ['unset MOAT_PROXY_PORT', 'export MOAT_PROXY_PORT=8080'],
      })
    },
  )

  it.each([-1, 65_536, 80.5])('refuses --port %s', async (flag) => {
    const file = await configFile('')
    expect(await caught(() => resolveProxyAddress({ configFile: file, env: {}, flag }))).toEqual({
      code: 'INVALID_PORT',
      exit: 2,
      message: `--port must be a port number from 1 to 65535, not "${flag}".`,
      suggestions: ['moat proxy start --port 8080'],
    })
  })

  it('refuses a broken file even when the flag decides', async () => {
    const file = await configFile('proxy: {port: 0}')
    expect((await caught(() => resolveProxyAddress({ configFile: file, env: {}, flag: 9000 }))).message).toBe(
      `${file}:1:15: "proxy.port" must be a port number from 1 to 65535, not 0`,
    )
  })
})

describe('config.yaml', () => {
  it.each([
    ['absent', undefined, {}],
    ['empty', '', {}],
    ['only comments', '# proxy: {port: 1}\n', {}],
    ['an empty mapping', '{}', {}],
    ['an empty proxy', 'proxy: {}', {}],
    ['a port', 'proxy: {port: 443}', { port: 443 }],
    ['a domain', 'proxy: {domain: dev.moat.test}', { domain: 'dev.moat.test' }],
    ['a reserved domain', 'proxy: {domain: test}', { domain: 'test' }],
  ])('may be %s', async (_, text, proxy) => {
    const file = text === undefined ? join(await temporaryDirectory(), 'config.yaml') : await configFile(text)
    expect(await loadSettings(file)).toEqual({ approvals: {}, caddy: {}, never: {}, network: {}, proxy, snapshots: {} })
  })

  it('may make strict what holds where a moat.yaml says nothing', async () => {
    expect((await loadSettings(await configFile('network: {policy: strict}'))).network).toEqual({ policy: 'strict' })
    expect((await caught(async () => loadSettings(await configFile('network: {policy: closed}')))).message).toContain(
      ':1:19: "network.policy" must be strict or permissive, not "closed"',
    )
  })

  it.each([
    ['unknown key', 'prxy: {}', '1:1: unknown key "prxy"; did you mean "proxy"?'],
    ['unknown key in proxy', 'proxy:\n  prot: 1', '2:3: unknown key "prot" in "proxy"; did you mean "port"?'],
    ['wrong type', 'proxy: 8080', '1:8: "proxy" must be a mapping such as {port: 8080}, not 8080'],
    ['empty proxy', 'proxy:', '1:1: "proxy" is empty; it must be a mapping such as {port: 8080}'],
    ['no mapping', '[]', '1:1: the file must be a mapping such as {proxy: {port: 8080}}, not a list'],
    [
      'a domain that is no text',
      'proxy: {domain: 8080}',
      '1:17: "proxy.domain" must be text, not 8080; write it in quotes',
    ],
    ['an empty domain', "proxy: {domain: ''}", '1:17: "proxy.domain" is empty; it must be text'],
    [
      'upper case',
      'proxy:\n  domain: Moat.Test',
      '2:11: "proxy.domain" must be DNS labels (lowercase letters, digits and hyphens, at most 63 characters) with dots between them, not "Moat.Test"; did you mean "moat.test"?',
    ],
    [
      'a wildcard',
      "proxy: {domain: '*.moat.test'}",
      '1:17: "proxy.domain" must be DNS labels (lowercase letters, digits and hyphens, at most 63 characters) with dots between them, not "*.moat.test"; did you mean "moat.test"?',
    ],
    [
      'a URL',
      'proxy: {domain: https://moat.test}',
      '1:17: "proxy.domain" must be DNS labels (lowercase letters, digits and hyphens, at most 63 characters) with dots between them, not "https://moat.test"',
    ],
    [
      'an IPv4 address',
      'proxy: {domain: 127.0.0.1}',
      '1:17: "proxy.domain" must be a domain such as "moat.test", not the IP address "127.0.0.1"',
    ],
    [
      'an IPv6 address',
      "proxy: {domain: '::1'}",
      '1:17: "proxy.domain" must be a domain such as "moat.test", not the IP address "::1"',
    ],
    [
      'what browsers take for an address',
      "proxy: {domain: 'moat.0x7f'}",
      '1:17: "proxy.domain" must be a domain that browsers take; "moat.0x7f" is none',
    ],
    [
      'a domain that is too long',
      `proxy: {domain: ${'a'.repeat(63)}.${'b'.repeat(48)}}`,
      '1:17: "proxy.domain" must have at most 111 characters, so that agents\' names fit before it; it has 112',
    ],
    [
      'a whole public domain',
      'proxy: {domain: com}',
      '1:17: "proxy.domain" must have two labels or more, such as "moat.test", not "com": moat\'s authority must not be able to sign for all of it; only "localhost" and "test" may stand alone',
    ],
    [
      'unknown key beside it',
      'proxy: {domian: a.test}',
      '1:9: unknown key "domian" in "proxy"; did you mean "domain"?',
    ],
    ['duplicate', 'proxy: {port: 1}\nproxy: {}', '2:1: duplicate key "proxy"; it is already on line 1'],
    ['bad syntax', 'proxy: {', '1:9: not valid YAML: unexpected end of the stream within a flow collection'],
  ])('with an error: %s', async (_, text, expected) => {
    const file = await configFile(text)
    const error = { code: 'CONFIG_INVALID', exit: 2, message: `${file}:${expected}`, suggestions: [] }
    expect(await caught(() => loadSettings(file))).toEqual(error)
  })

  it('that cannot be reached is not taken for absent', async () => {
    const directory = await temporaryDirectory()
    await chmod(directory, 0o755)
    const home = join(directory, 'home')
    await mkdir(home)
    await writeFile(join(home, 'config.yaml'), 'proxy: {port: 1}')
    await chmod(home, 0o000)
    const error = await caught(() => asOrdinaryUser(() => loadSettings(join(home, 'config.yaml'))))
    await chmod(home, 0o700)
    expect(error.message).toBe(`${home}/config.yaml cannot be read: permission denied.`)
  })
})
