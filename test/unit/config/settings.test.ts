// Owns where the proxy's port comes from, and the errors of config.yaml.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadSettings, resolveCaddyMirror, resolveProxyPort } from '../../../src/config/settings.js'
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

describe('resolveProxyPort', () => {
  it('takes the flag, else the variable, else the file, else 8080', async () => {
    const file = await configFile('proxy: {port: 9003}')
    const absent = `${file}.absent`
    const env = { MOAT_PROXY_PORT: '9002' }
    const flag = 9001
    expect(await resolveProxyPort({ configFile: file, env, flag })).toEqual({
      explicit: true,
      port: 9001,
      source: 'flag',
    })
    expect(await resolveProxyPort({ configFile: file, env })).toEqual({ explicit: true, port: 9002, source: 'env' })
    expect(await resolveProxyPort({ configFile: file, env: {} })).toEqual({
      explicit: true,
      port: 9003,
      source: 'config',
    })
    expect(await resolveProxyPort({ configFile: absent, env: {}, flag: undefined })).toEqual({
      explicit: false,
      port: 8080,
      source: 'default',
    })
  })

  it('takes 0, any free port, from the flag and the variable', async () => {
    const file = await configFile('proxy: {port: 9003}')
    expect(await resolveProxyPort({ configFile: file, env: {}, flag: 0 })).toEqual({
      explicit: true,
      port: 0,
      source: 'flag',
    })
    expect(await resolveProxyPort({ configFile: file, env: { MOAT_PROXY_PORT: '0' } })).toEqual({
      explicit: true,
      port: 0,
      source: 'env',
    })
  })

  it('takes an empty variable for one that is not set', async () => {
    const file = await configFile('{}')
    expect((await resolveProxyPort({ configFile: file, env: { MOAT_PROXY_PORT: '' } })).source).toBe('default')
  })

  it('takes every port from the variable as it stands', async () => {
    const file = await configFile('')
    await fc.assert(
      fc.asyncProperty(fc.integer({ max: 65_535, min: 0 }), async (port) => {
        const found = await resolveProxyPort({ configFile: file, env: { MOAT_PROXY_PORT: String(port) } })
        expect(found).toEqual({ explicit: true, port, source: 'env' })
      }),
      { numRuns: 50 },
    )
  })

  it.each(['three', '-1', '65536', '80.5', '8e3', '0x50', ' 80', '99999999'])(
    'refuses MOAT_PROXY_PORT=%s',
    async (value) => {
      const env = { MOAT_PROXY_PORT: value }
      const file = await configFile('')
      expect(await caught(() => resolveProxyPort({ configFile: file, env }))).toEqual({
        code: 'INVALID_PORT',
        exit: 2,
        message: `MOAT_PROXY_PORT must be a port number from 1 to 65535, not "${value}".`,
        suggestions: ['unset MOAT_PROXY_PORT', 'export MOAT_PROXY_PORT=8080'],
      })
    },
  )

  it.each([-1, 65_536, 80.5])('refuses --port %s', async (flag) => {
    const file = await configFile('')
    expect(await caught(() => resolveProxyPort({ configFile: file, env: {}, flag }))).toEqual({
      code: 'INVALID_PORT',
      exit: 2,
      message: `--port must be a port number from 1 to 65535, not "${flag}".`,
      suggestions: ['moat proxy start --port 8080'],
    })
  })

  it('refuses a broken file even when the flag decides', async () => {
    const file = await configFile('proxy: {port: 0}')
    expect((await caught(() => resolveProxyPort({ configFile: file, env: {}, flag: 9000 }))).message).toBe(
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
  ])('may be %s', async (_, text, proxy) => {
    const file = text === undefined ? join(await temporaryDirectory(), 'config.yaml') : await configFile(text)
    expect(await loadSettings(file)).toEqual({ caddy: {}, proxy })
  })

  it.each([
    ['unknown key', 'prxy: {}', '1:1: unknown key "prxy"; did you mean "proxy"?'],
    ['unknown key in proxy', 'proxy:\n  prot: 1', '2:3: unknown key "prot" in "proxy"; did you mean "port"?'],
    ['wrong type', 'proxy: 8080', '1:8: "proxy" must be a mapping such as {port: 8080}, not 8080'],
    ['empty proxy', 'proxy:', '1:1: "proxy" is empty; it must be a mapping such as {port: 8080}'],
    ['no mapping', '[]', '1:1: the file must be a mapping such as {proxy: {port: 8080}}, not a list'],
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
