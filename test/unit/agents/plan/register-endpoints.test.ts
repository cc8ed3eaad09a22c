// What becomes of the endpoints in moat.yaml, with plugins that are made up here.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { registerEndpoints } from '../../../../src/agents/plan/register-endpoints.js'
import { loadMoatYaml } from '../../../../src/config/moat-yaml.js'
import type { EndpointRegistration, RegisterEndpointsOptions } from '../../../../src/endpoints/contract.js'
import { type EndpointPlugins, oclifPlugins } from '../../../../src/endpoints/plugin-hooks.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-register-'))
})
afterEach(() => rm(directory, { force: true, recursive: true }))

const options = z.strictObject({
  port: z.int().optional(),
  size: z.enum(['big', 'small']).optional(),
  text: z.unknown().optional(),
})

/** Two plugins with a type each, `one` and `two`, which register endpoints as `register` says. */
function plugins(register: (endpoint: string) => Omit<EndpointRegistration, 'endpoint'>): EndpointPlugins {
  const answer = (type: string, { endpoints }: RegisterEndpointsOptions) =>
    endpoints.filter((endpoint) => endpoint.type === type).map(({ name }) => ({ endpoint: name, ...register(name) }))
  return {
    agentGone: async () => {},
    endpointTypes: async () => ['one', 'two'].map((name) => ({ plugin: `moat-${name}`, result: [{ name, options }] })),
    registerEndpoints: async (asked) =>
      ['one', 'two'].map((type) => ({ plugin: `moat-${type}`, result: answer(type, asked) })),
  }
}

async function register(ports: string, how: Parameters<typeof plugins>[0]) {
  await writeFile(join(directory, 'moat.yaml'), `ports:\n${ports}\n`)
  const agent = { name: 'app', workspace: directory }
  return registerEndpoints(await loadMoatYaml(directory, directory), plugins(how), agent, 'localhost')
}

const upstream = (port: number) => ({ upstream: { port } })

describe('registerEndpoints', () => {
  it('has endpoints in the order of the file, each with its plugin', async () => {
    const registered = await register('  b: {type: two, port: 1}\n  a: {type: one}\n  c: {type: two}', () =>
      upstream(3000),
    )
    expect(registered.endpoints).toEqual([
      { name: 'b', plugin: 'moat-two', port: 3000, type: 'two' },
      { name: 'a', plugin: 'moat-one', port: 3000, type: 'one' },
      { name: 'c', plugin: 'moat-two', port: 3000, type: 'two' },
    ])
    expect(registered.ports).toEqual([{ port: 3000 }])
    expect(registered.routes[0]).toEqual({ endpoint: 'b', upstream: { port: 3000, protocol: 'http' } })
  })

  it('publishes ports that only a route dials', async () => {
    const route = { handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: '{moat.dial.9000}' }] }] }
    const { endpoints, ports } = await register('  a: {type: one}', () => ({ routes: [route] }))
    expect(ports).toEqual([{ port: 9000 }])
    expect(endpoints).toEqual([{ name: 'a', plugin: 'moat-one', type: 'one' }])
  })

  it('fills in addresses of stable ports, and asks nothing of the proxy for an endpoint without routes', async () => {
    const tcp = {
      env: { DATABASE_URL: 'pg://{moat.address.5432}/x' },
      ports: [{ hostPort: 'stable' as const, port: 5432 }],
      url: 'pg://{moat.address.5432}',
    }
    const first = await register('  db: {type: one}', () => tcp)
    const { hostPort } = first.ports[0] ?? {}
    expect(hostPort).toBeGreaterThanOrEqual(20_000)
    expect(hostPort).toBeLessThan(32_000)
    expect(first.endpoints).toEqual([
      { name: 'db', plugin: 'moat-one', port: 5432, type: 'one', url: `pg://127.0.0.1:${hostPort}` },
    ])
    expect(first.endpointEnv).toEqual({ DATABASE_URL: `pg://127.0.0.1:${hostPort}/x` })
    expect(first.routes).toEqual([])
    expect((await register('  db: {type: one}', () => tcp)).ports).toEqual(first.ports)
  })

  it.each([
    [
      'an address of a port that moves',
      () => ({ url: 'pg://{moat.address.1}' }),
      'Plugin moat-one returned an invalid registration: endpoint a: {moat.address.1} is of a port without a hostPort.',
    ],
  ])('names the plugin for %s', async (_, how, message) => {
    await expect(register('  a: {type: one}', how)).rejects.toThrow(message)
  })

  it('says where options are wrong, of all endpoints at once', async () => {
    const ports = '  a: {type: one, size: huge}\n  b: {type: two, sise: big, port: 3}'
    await expect(register(ports, () => upstream(1))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message:
        'moat.yaml:2:24: "ports.a.size": Invalid option: expected one of "big"|"small"\n' +
        'moat.yaml:3:18: unknown key "sise" in "ports.b"; did you mean "size"?',
    })
  })

  it('names the type that is not installed, the nearest, and how to have it', async () => {
    await expect(register('  a: {type: tow}', () => upstream(1))).rejects.toMatchObject({
      message: 'moat.yaml:2:13: unknown endpoint type "tow"; did you mean "two"? Installed: one, two',
      suggestions: undefined,
    })
    await expect(register('  a: {type: grpc}', () => upstream(1))).rejects.toMatchObject({
      message: 'moat.yaml:2:13: unknown endpoint type "grpc". Installed: one, two',
      suggestions: ['moat plugins install moat-plugin-grpc'],
    })
    await expect(register('  a: {type: "g\\0\\nc"}', () => upstream(1))).rejects.toMatchObject({
      message: 'moat.yaml:2:13: unknown endpoint type "g\\u{0}\\u{a}c". Installed: one, two',
    })
  })

  it('names the line and the limit where what was written is too large, and the plugin where it was not', async () => {
    const routes = (text: string) => [
      { handle: [{ body: text, handler: 'static_response' }], match: [{ path: ['/a'] }] },
    ]
    const large = 'x'.repeat(110_000)
    const yaml = `  a: {type: one, port: 1}\n  b:\n    type: two\n    text: {big: "${large}", small: x}`
    const how = (endpoint: string) => (endpoint === 'b' ? { routes: routes(large) } : upstream(1))
    await expect(register(yaml, how)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /^moat\.yaml:5:17: the endpoint "b" is too large: its routes have 110,\d{3} characters, and the limit is 100,000\. "ports\.b\.text\.big" is the largest part\.$/,
      ),
    })
    await expect(register('  a: {type: one}', () => ({ routes: routes(large) }))).rejects.toMatchObject({
      code: 'PLUGIN_FAILED',
      message: expect.stringContaining('moat-one'),
    })
  })

  it('takes one default only', async () => {
    const ports = '  a: {type: one}\n  b: {type: two}'
    await expect(register(ports, () => ({ default: true, ...upstream(1) }))).rejects.toThrow(
      'moat.yaml:3:6: only one endpoint can be the default, and "a" is.',
    )
  })
})

describe('what is wrong with plugins', () => {
  const declared = async (ports: string) => {
    await writeFile(join(directory, 'moat.yaml'), `ports:\n${ports}\n`)
    return loadMoatYaml(directory, directory)
  }
  /** As oclif runs hooks: each plugin's function answers, or fails with a text. */
  const asked = (hooks: Record<string, Record<string, unknown>>) =>
    oclifPlugins({
      runHook: async (hook: string) => {
        const all = Object.entries(hooks[hook] ?? {}).map(([name, result]) => ({ plugin: { name }, result }))
        return {
          failures: all.flatMap(({ plugin, result }) =>
            typeof result === 'string' ? [{ error: new Error(result), plugin }] : [],
          ),
          successes: all.filter(({ result }) => typeof result !== 'string'),
        }
      },
    } as unknown as Parameters<typeof oclifPlugins>[0])
  const failing = async (ports: string, hooks: Parameters<typeof asked>[0]) => {
    const agent = { name: 'app', workspace: directory }
    const error = await registerEndpoints(await declared(ports), asked(hooks), agent, 'localhost').catch((e) => e)
    return { code: error.code, lines: error.message.replaceAll(`${directory}/`, '').split('\n') }
  }
  const types = (...names: string[]) => names.map((name) => ({ name, options }))

  it('is told at once with what is wrong in moat.yaml, whichever hook it is of', async () => {
    const ports =
      '  a: {type: one, size: huge}\n  b: {type: two}\n  c: {type: twoo}\n  d: {type: lost}\n  e: {type: one}'
    expect(
      await failing(ports, {
        'moat:endpoint-types': { 'moat-a': types('one'), 'moat-b': types('two'), 'moat-c': 'boom', 'moat-d': 'bang' },
        'moat:register-endpoints': {
          'moat-a': [{ endpoint: 'e', url: 'nowhere' }, { endpoint: 'x' }],
          'moat-b': 'crash',
        },
      }),
    ).toEqual({
      code: 'CONFIG_INVALID',
      lines: [
        'moat.yaml:2:24: "ports.a.size": Invalid option: expected one of "big"|"small"',
        'moat.yaml:4:13: unknown endpoint type "twoo"; did you mean "two"? Installed: one, two',
        'Plugin moat-c failed in the hook moat:endpoint-types: boom',
        'Plugin moat-d failed in the hook moat:endpoint-types: bang',
        'Plugin moat-b failed in the hook moat:register-endpoints: crash',
        'Plugin moat-a returned an invalid registration: endpoint e, url: is not a URL; the endpoint x is not of one of its types.',
      ],
    })
  })

  it('is told of all of them where moat.yaml is right', async () => {
    expect(
      await failing('  a: {type: one}', {
        'moat:endpoint-types': { 'moat-a': types('one'), 'moat-b': [{ name: 'A B' }, null], 'moat-c': types('one') },
        'moat:register-endpoints': { 'moat-a': [] },
      }),
    ).toEqual({
      code: 'PLUGIN_FAILED',
      lines: [
        'Plugin moat-b declares its endpoint types incorrectly: the name "A B" is not a DNS label.',
        'Plugin moat-b declares its endpoint types incorrectly: the name undefined is not a DNS label.',
        'Plugins moat-a and moat-c both declare the endpoint type one.',
        'Plugin moat-a returned an invalid registration: it does not register the endpoint a.',
      ],
    })
  })
})
