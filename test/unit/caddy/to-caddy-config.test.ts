import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CaddyConfig,
  domainOf,
  listenersOf,
  namesOf,
  plainOf,
  portOf,
  toCaddyConfig,
} from '../../../src/caddy/to-caddy-config.js'
import { emptyTable, type HostRoutes, type Upstream } from '../../../src/routing/route-table.js'
import { egress, settings } from './settings.js'

const routes: Upstream[] = [
  { dial: '127.0.0.1:49153', host: 'web.dark-mode.localhost', protocol: 'http' },
  { dial: '127.0.0.1:49154', host: 'grpc.dark-mode.localhost', protocol: 'h2c' },
  { dial: '127.0.0.1:49155', host: 'secure.dark-mode.localhost', protocol: 'https' },
]

const hostRoutes: HostRoutes[] = [
  {
    agent: 'dark-mode',
    endpoint: 'report',
    files: { browse: true, root: 'coverage' },
    hosts: ['report.dark-mode.localhost'],
    plugin: 'moat-plugin-static',
    routes: [],
    runId: 'run_0123456789ab',
    upstream: false,
  },
  {
    agent: 'dark-mode',
    endpoint: 'web',
    hosts: ['web.dark-mode.localhost', 'dark-mode.localhost'],
    plugin: 'moat-cli',
    routes: [{ handle: [{ handler: 'headers', request: { set: { 'X-A': ['b'] } } }] }],
    runId: 'run_0123456789ab',
    upstream: true,
  },
]

/** A password, in a route of a route. */
const basicAuth = {
  handle: [{ handler: 'subroute', routes: [{ handle: [{ handler: 'authentication', providers: {} }] }] }],
}

const tableOf = (upstreams: Upstream[], special: HostRoutes[] = []) => ({
  ...emptyTable,
  hostRoutes: special,
  upstreams,
})

const mappingsOf = (config: CaddyConfig) => {
  const found =
    JSON.stringify((config as { apps: { http: { servers: { moat: unknown } } } }).apps.http.servers.moat).match(
      /"mappings":(\[.*?\]),"source"/,
    )?.[1] ?? '[]'
  return JSON.parse(found) as { input: string; outputs: [string, string, string] }[]
}

describe('toCaddyConfig', () => {
  // Golden files: a change of what Caddy is told shows in review as a change of these.
  it.each([
    ['no routes', tableOf([])],
    ['one route', tableOf(routes.slice(0, 1))],
    ['every protocol', tableOf(routes)],
    ['routes of plugins', tableOf(routes.slice(0, 1), hostRoutes)],
  ])('with %s is as recorded', async (name, given) => {
    const text = `${JSON.stringify(toCaddyConfig(settings, given), undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot(`../../fixtures/caddy-config/${name.replaceAll(' ', '-')}.json`)
  })

  it('with what agents send elsewhere opened is as recorded', async () => {
    const config = toCaddyConfig({ ...settings, egress }, tableOf([]))
    const text = `${JSON.stringify(config, undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot('../../fixtures/caddy-config/opened.json')
  })

  it('with a domain of the user is as recorded', async () => {
    const ownDomain = { ...settings, domain: 'dev.moat.test' }
    const below = ({ host, ...rest }: Upstream) => ({ ...rest, host: host.replace('localhost', 'dev.moat.test') })
    const config = toCaddyConfig(ownDomain, tableOf(routes.slice(0, 1).map(below)))
    const text = `${JSON.stringify(config, undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot('../../fixtures/caddy-config/own-domain.json')
    expect(domainOf(config)).toBe('dev.moat.test')
    expect(domainOf(toCaddyConfig(settings, tableOf([])))).toBe('localhost')
    expect(domainOf({})).toBeUndefined()
  })

  it('with layer4 is as recorded, databases by name too', async () => {
    const named = [
      {
        alpn: ['postgresql'],
        dial: 'unix/../ways/run_0123456789ab/5432',
        host: 'db.dark-mode.localhost',
        port: 5432,
        start: 'postgres' as const,
      },
      { dial: 'unix/../ways/run_0123456789ab/6379', host: 'cache.dark-mode.localhost', port: 6379 },
    ].map((one) => ({ ...one, agent: 'dark-mode', endpoint: 'db', runId: 'run_0123456789ab' }))
    const plain = '/home/ann/.moat/proxy/plain.sock'
    const locked = { ...hostRoutes[1], routes: [basicAuth] } as HostRoutes
    const table = { ...tableOf(routes.slice(0, 1), [locked]), named }
    const text = `${JSON.stringify(toCaddyConfig({ ...settings, plain }, table), undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot('../../fixtures/caddy-config/layer4.json')
    expect(toCaddyConfig({ ...settings, plain }, { ...table, named: named.toReversed() })).toEqual(JSON.parse(text))
    expect(plainOf(JSON.parse(text))).toBe(plain)
    // Another Caddy would refuse a config with any of it.
    const without = JSON.stringify(toCaddyConfig(settings, table))
    expect(without).not.toContain('layer4')
    expect(without).not.toContain('db.dark-mode')
    expect(plainOf(JSON.parse(without))).toBeUndefined()
  })

  it('logs requests to the hosts that somebody watches, and without that none', async () => {
    const recorded = ['web.dark-mode.localhost', 'dark-mode.localhost']
    const text = `${JSON.stringify(toCaddyConfig({ ...settings, recorded }, tableOf([])), undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot('../../fixtures/caddy-config/recorded.json')
    expect(JSON.stringify(toCaddyConfig(settings, tableOf(routes)))).not.toContain('moat_requests')
  })

  it('has each route once and does not depend on their order', () => {
    const route = fc.record({
      dial: fc.nat(65_535).map((port) => `127.0.0.1:${port}`),
      host: fc.stringMatching(/^[a-z]{1,8}\.[a-z]{1,8}\.localhost$/),
      protocol: fc.constantFrom('http' as const, 'https' as const, 'h2c' as const),
    })
    const distinct = fc.uniqueArray(route, { selector: ({ host }) => host })
    fc.assert(
      fc.property(
        distinct.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const config = toCaddyConfig(settings, tableOf(all))
          expect(toCaddyConfig(settings, tableOf(shuffled))).toEqual(config)
          expect(Object.fromEntries(mappingsOf(config).map(({ input, outputs }) => [input, outputs]))).toEqual(
            Object.fromEntries(all.map(({ dial, host, protocol }) => [host, [protocol, dial, dial]])),
          )
        },
      ),
    )
  })

  it('has a host that two routes claim once, whichever comes first', () => {
    const twice = [...routes, { dial: '127.0.0.1:49160', host: 'web.dark-mode.localhost', protocol: 'http' as const }]
    const config = toCaddyConfig(settings, tableOf(twice))
    expect(config).toEqual(toCaddyConfig(settings, tableOf(twice.toReversed())))
    expect(mappingsOf(config).map(({ input }) => input)).toEqual(routes.map(({ host }) => host).toSorted())
  })

  it('has the routes of an endpoint for its hosts only, each host once', () => {
    const greedy = hostRoutes.map((one) => ({ ...one, hosts: ['report.dark-mode.localhost'] }))
    const text = JSON.stringify(toCaddyConfig(settings, tableOf([], greedy)))
    // In each of three servers, for whatever the config knows of, for all endpoints with routes, and for itself.
    expect(text.match(/"host":\["report\.dark-mode\.localhost"\]/g)).toHaveLength(9)
    expect(text).not.toContain('X-A')
  })

  it('is small, for Caddy reads all of it at each push: what servers repeat each has once, by a name that it knows', () => {
    const config = toCaddyConfig(settings, tableOf([]))
    const { servers } = (config as { apps: { http: { servers: Record<string, { named_routes?: object }> } } }).apps.http
    for (const name of ['inside', 'inside_plain', 'moat']) {
      const text = JSON.stringify(servers[name])
      const named = Object.entries(servers[name]?.named_routes ?? {})
      const invoked = [...text.matchAll(/"handler":"invoke","name":"([^"]*)"/g)].map(([, one]) => one)
      expect(new Set(invoked)).toEqual(new Set(named.map(([one]) => one)))
      // Caddy counts a request at each route by name too, and moat counts those whose first handler is `vars`.
      for (const [, route] of named) expect(route.handle[0].handler).not.toBe('vars')
      for (const told of ['not_listening', 'no_supervisor', '"search":"A"']) expect(text.split(told)).toHaveLength(2)
    }
    expect(JSON.stringify(config).length).toBeLessThan(40_000)
  })

  it('says on which port and sockets it serves, for a supervisor that finds it', () => {
    const config = toCaddyConfig(settings, tableOf(routes))
    expect(portOf(config)).toBe(8080)
    expect(listenersOf(config)).toEqual(['fd/3', 'fd/4'])
    expect(namesOf(config)).toEqual(settings.names)
    expect(portOf({ apps: {} })).toBeUndefined()
    expect(listenersOf({})).toEqual([])
    expect(namesOf({})).toBeUndefined()
  })
})
