// Owns which host leads where.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Agent, RouteFragment } from '../../../src/routing/agent.js'
import { certificateHosts } from '../../../src/routing/certificate-hosts.js'
import { hasParted, hostsOf } from '../../../src/routing/hosts-of-table.js'
import { defaultEndpoint, dialledPorts, emptyTable, routeTable } from '../../../src/routing/route-table.js'
import { agentHost, endpointHost } from '../../../src/routing/urls.js'
import { agents } from './arbitraries.js'

function agent(name: string, ports: Record<string, number>, published: Record<number, number>): Agent {
  return {
    containerId: name,
    createdAt: '2025-01-01T00:00:00.000Z',
    endpoints: Object.entries(ports).map(([endpoint, port]) => ({ name: endpoint, port, type: 'http' })),
    keep: false,
    name,
    published,
    routes: Object.entries(ports).map(([endpoint, port]) => ({ endpoint, upstream: { port, protocol: 'http' } })),
    runId: 'run_0123456789ab',
    state: 'running',
    workspace: '/src',
  }
}

describe('routeTable', () => {
  it('leads the bare host of an agent to its only endpoint', () => {
    expect(routeTable([agent('checkout', { web: 3000 }, { 3000: 49_152 })], 'localhost').upstreams).toEqual([
      { dial: '127.0.0.1:49152', host: 'checkout.localhost', port: 3000, protocol: 'http', runId: 'run_0123456789ab' },
      {
        dial: '127.0.0.1:49152',
        host: 'web.checkout.localhost',
        port: 3000,
        protocol: 'http',
        runId: 'run_0123456789ab',
      },
    ])
  })

  it('leads the bare host nowhere when there are several endpoints, even if one alone is published', () => {
    expect(routeTable([agent('checkout', { api: 8080, web: 3000 }, { 3000: 49_152 })], 'localhost').upstreams).toEqual([
      {
        dial: '127.0.0.1:49152',
        host: 'web.checkout.localhost',
        port: 3000,
        protocol: 'http',
        runId: 'run_0123456789ab',
      },
    ])
  })

  it('has each live agent that reaches the proxy from inside its container', () => {
    const forwarding = (name: string, runId: string): Agent => ({ ...agent(name, {}, {}), forwards: [8080], runId })
    const all = [
      forwarding('second', 'run_bbbbbbbbbbbb'),
      forwarding('first', 'run_aaaaaaaaaaaa'),
      { ...forwarding('ended', 'run_cccccccccccc'), state: 'exited' as const },
      agent('without', { web: 3000 }, { 3000: 49_152 }),
    ]
    expect(routeTable(all, 'localhost').inside).toEqual([
      { agent: 'first', runId: 'run_aaaaaaaaaaaa' },
      { agent: 'second', runId: 'run_bbbbbbbbbbbb' },
    ])
  })

  describe('of an agent that discovers', () => {
    const declaring = (ports: Record<string, number>): Agent => ({
      ...agent('app', ports, {}),
      discover: true,
      forwards: [8080],
      wayIn: 'sockets',
    })
    const finding = (found: Agent, ...ports: number[]): Agent => ({
      ...found,
      endpoints: [
        ...found.endpoints,
        ...ports.map((port) => ({ discovered: true as const, name: `${port}`, port, type: 'http' })),
      ],
      routes: [
        ...found.routes,
        ...ports.map(
          (port): RouteFragment => ({ discovered: true, endpoint: `${port}`, upstream: { port, protocol: 'http' } }),
        ),
      ],
    })

    it('has a door for each port that was found, and leaves the bare host what it is', () => {
      const { doors, discovering, upstreams, ways } = routeTable([finding(declaring({ web: 3000 }), 5173)], 'localhost')
      expect(doors.map(({ discovered, host, port }) => [host, port, discovered])).toEqual([
        ['5173.app.localhost', 5173, true],
        ['app.localhost', 3000, undefined],
        ['web.app.localhost', 3000, undefined],
      ])
      expect(discovering).toEqual([{ agent: 'app', runId: 'run_0123456789ab' }])
      expect([upstreams, ways]).toEqual([[], []])
    })

    it.each([[{}], [{ api: 8080, web: 3000 }]])('never gives the bare host to what was found: %j', (ports) => {
      const found = finding(declaring(ports), 5173)
      expect(routeTable([found], 'localhost').doors.map(({ host }) => host)).not.toContain('app.localhost')
      expect(defaultEndpoint(found)).toBeUndefined()
    })

    it('has none while it is paused', () => {
      const paused: Agent = { ...finding(declaring({ web: 3000 }), 5173), state: 'paused' }
      expect(routeTable([paused], 'localhost').doors).toEqual([])
    })
  })

  it('has nothing for an agent whose ports are not published', () => {
    expect(routeTable([agent('checkout', { web: 3000 }, {})], 'localhost')).toEqual(emptyTable)
  })

  it('has every host once, in order, whatever the order of the agents', () => {
    fc.assert(
      fc.property(agents, (list) => {
        const table = routeTable(list, 'localhost')
        const hosts = table.upstreams.map(({ host }) => host)
        expect(hosts).toEqual([...new Set(hosts)].toSorted())
        expect(routeTable(list.toReversed(), 'localhost')).toEqual(table)
      }),
    )
  })

  it('leads each published endpoint, and nothing else, to its own port on loopback', () => {
    fc.assert(
      fc.property(agents, (list) => {
        const expected = new Map<string, string>()
        for (const { endpoints, name, published, routes } of list) {
          for (const { endpoint, upstream } of routes) {
            const port = upstream && published[upstream.port]
            if (port === undefined) continue
            expected.set(endpointHost(name, endpoint, 'localhost'), `127.0.0.1:${port} ${upstream?.protocol}`)
            if (endpoints.length === 1)
              expected.set(agentHost(name, 'localhost'), `127.0.0.1:${port} ${upstream?.protocol}`)
          }
        }
        const found = new Map(
          routeTable(list, 'localhost').upstreams.map(({ dial, host, protocol }) => [host, `${dial} ${protocol}`]),
        )
        expect(found).toEqual(expected)
      }),
    )
  })
})

/** `checkout` with these fragments; web is published, api is not. */
function special(...routes: RouteFragment[]): Agent {
  const endpoints = routes.map(({ endpoint }) => ({ name: endpoint, plugin: 'moat-x', type: 'x' }))
  return { ...agent('checkout', {}, { 3000: 49_152 }), endpoints, routes }
}

describe('fragments that are more than a port', () => {
  const answer = { body: 'x', handler: 'static_response' }

  it('have the hosts of their own endpoint, and the addresses of this start', () => {
    const dialling = { handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: '{moat.dial.3000}' }] }] }
    expect(routeTable([special({ endpoint: 'web', routes: [dialling] })], 'localhost')).toEqual({
      ...emptyTable,
      hostRoutes: [
        {
          agent: 'checkout',
          endpoint: 'web',
          hosts: ['web.checkout.localhost', 'checkout.localhost'],
          plugin: 'moat-x',
          routes: [{ handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: '127.0.0.1:49152' }] }] }],
          runId: 'run_0123456789ab',
          upstream: false,
        },
      ],
    })
  })

  it('come before an upstream that has the same hosts', () => {
    const upstream = { port: 3000, protocol: 'http' as const }
    const table = routeTable([special({ endpoint: 'web', routes: [{ handle: [answer] }], upstream })], 'localhost')
    expect(table.hostRoutes).toMatchObject([{ upstream: true }])
    expect(table.upstreams.map(({ host }) => host)).toEqual(['checkout.localhost', 'web.checkout.localhost'])
    expect(hostsOf(table)).toEqual(['checkout.localhost', 'web.checkout.localhost'])
  })

  it('have no route while a port they dial is not published', () => {
    const dialling = { handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: '{moat.dial.8080}' }] }] }
    expect(routeTable([special({ endpoint: 'api', routes: [dialling] })], 'localhost')).toEqual(emptyTable)
    expect(dialledPorts({ routes: [dialling], upstream: { port: 80, protocol: 'http' } })).toEqual([80, 8080])
  })

  it('have none when the agent has ended, files and fixed answers neither', () => {
    const ended = { ...special({ endpoint: 'web', files: { browse: false, root: '.' } }), state: 'exited' as const }
    expect(routeTable([ended], 'localhost')).toEqual(emptyTable)
  })

  it('of several have the bare host if they are the default', () => {
    const web = { endpoint: 'web', routes: [{ handle: [answer] }] }
    const api = { default: true, endpoint: 'api', routes: [{ handle: [answer] }] }
    expect(routeTable([special(web, api)], 'localhost').hostRoutes.map(({ hosts }) => hosts)).toEqual([
      ['api.checkout.localhost', 'checkout.localhost'],
      ['web.checkout.localhost'],
    ])
  })
})

describe('an agent that is reached by sockets', () => {
  const runId = 'run_0123456789ab'
  const bySockets = (ports: Record<string, number>, more: Partial<Agent> = {}): Agent => ({
    ...agent('checkout', ports, {}),
    wayIn: 'sockets',
    ...more,
  })

  it('has a door for each host, and nothing in the config', () => {
    expect(routeTable([bySockets({ web: 3000 })], 'localhost')).toEqual({
      ...emptyTable,
      doors: [
        { agent: 'checkout', host: 'checkout.localhost', port: 3000, runId },
        { agent: 'checkout', host: 'web.checkout.localhost', port: 3000, runId },
      ],
    })
  })

  it('is dialled by its sockets where the config has to know of it', () => {
    const secure = { endpoint: 'web', upstream: { port: 3000, protocol: 'https' as const } }
    const dial = `unix/../ways/${runId}/3000`
    const table = routeTable([bySockets({}, { routes: [secure] })], 'localhost')
    expect(table.upstreams.at(-1)).toEqual({
      ...{ dial, host: 'web.checkout.localhost', runId, port: 3000, protocol: 'https', quickDial: `${dial}.quick` },
    })
    expect([table.doors, table.ways]).toEqual([[], [{ port: 3000, runId }]])
    const dialling = { handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: '{moat.dial.3000}' }] }] }
    const plugin = routeTable([bySockets({}, { routes: [{ endpoint: 'web', routes: [dialling] }] })], 'localhost')
    expect(JSON.stringify(plugin.hostRoutes)).toContain(`"dial":"${dial}"`)
  })

  it('is dialled by the config at a host that is longer than the name of a socket may be', () => {
    const name = 'a'.repeat(63)
    const long = bySockets({ [name]: 3000 }, { name: 'b'.repeat(30) })
    const { doors, upstreams } = routeTable([long], 'localhost')
    expect(doors.map(({ host }) => host)).toEqual([`${'b'.repeat(30)}.localhost`])
    expect(upstreams.map(({ dial, host }) => [host, dial])).toEqual([
      [`${name}.${'b'.repeat(30)}.localhost`, `unix/../ways/${runId}/3000`],
    ])
  })

  it.each(['paused', 'restarting', 'exited'] as const)('is not dialled while it is %s', (state) => {
    expect(routeTable([bySockets({ web: 3000 }, { state })], 'localhost')).toEqual(emptyTable)
  })

  it('part with a container that runs on without them, and not with one that ends', () => {
    const before = routeTable([bySockets({ web: 3000 })], 'localhost')
    expect(hasParted(before, emptyTable, new Set([runId]))).toBe(true)
    expect(hasParted(before, emptyTable, new Set())).toBe(false)
    expect(hasParted(before, before, new Set([runId]))).toBe(false)
    expect(hasParted(emptyTable, before, new Set([runId]))).toBe(false)
  })

  it('is asked by a socket of its own whether it is ready, if its type says so', () => {
    const endpoints = [{ name: 'db', readiness: { kind: 'tcp' as const, port: 5432 }, type: 'tcp', url: 'tcp://x' }]
    expect(routeTable([bySockets({}, { endpoints, routes: [] })], 'localhost').ways).toEqual([{ port: 5432, runId }])
  })
})

describe('certificateHosts', () => {
  it('are localhost, the hosts, and the bare hosts of agents with several endpoints', () => {
    const several = agent('checkout', { api: 8080, web: 3000 }, { 3000: 49_152, 8080: 49_153 })
    const single = agent('app', { web: 3000 }, { 3000: 49_154 })
    expect(certificateHosts(hostsOf(routeTable([several, single], 'localhost')), 'localhost')).toEqual([
      'api.checkout.localhost',
      'app.localhost',
      'checkout.localhost',
      'localhost',
      'web.app.localhost',
      'web.checkout.localhost',
    ])
    expect(certificateHosts([], 'localhost')).toEqual(['localhost'])
  })

  it('are of the domain, and localhost beside it', () => {
    const several = agent('checkout', { api: 8080, web: 3000 }, { 3000: 49_152, 8080: 49_153 })
    const hosts = hostsOf(routeTable([several], 'dev.moat.test'))
    expect(certificateHosts(hosts, 'dev.moat.test')).toEqual([
      'api.checkout.dev.moat.test',
      'checkout.dev.moat.test',
      'dev.moat.test',
      'localhost',
      'web.checkout.dev.moat.test',
    ])
  })
})
