// Owns which host leads where.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Agent } from '../../../src/routing/agent.js'
import { certificateHosts, routeTable } from '../../../src/routing/route-table.js'
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
    expect(routeTable([agent('checkout', { web: 3000 }, { 3000: 49_152 })])).toEqual([
      { dial: '127.0.0.1:49152', host: 'checkout.localhost', protocol: 'http' },
      { dial: '127.0.0.1:49152', host: 'web.checkout.localhost', protocol: 'http' },
    ])
  })

  it('leads the bare host nowhere when there are several endpoints, even if one alone is published', () => {
    expect(routeTable([agent('checkout', { api: 8080, web: 3000 }, { 3000: 49_152 })])).toEqual([
      { dial: '127.0.0.1:49152', host: 'web.checkout.localhost', protocol: 'http' },
    ])
  })

  it('has nothing for an agent whose ports are not published', () => {
    expect(routeTable([agent('checkout', { web: 3000 }, {})])).toEqual([])
  })

  it('has every host once, in order, whatever the order of the agents', () => {
    fc.assert(
      fc.property(agents, (list) => {
        const table = routeTable(list)
        const hosts = table.map(({ host }) => host)
        expect(hosts).toEqual([...new Set(hosts)].toSorted())
        expect(routeTable(list.toReversed())).toEqual(table)
      }),
    )
  })

  it('leads each published endpoint, and nothing else, to its own port on loopback', () => {
    fc.assert(
      fc.property(agents, (list) => {
        const expected = new Map<string, string>()
        for (const { endpoints, name, published, routes } of list) {
          for (const { endpoint, upstream } of routes) {
            const port = published[upstream.port]
            if (port === undefined) continue
            expected.set(endpointHost(name, endpoint), `127.0.0.1:${port} ${upstream.protocol}`)
            if (endpoints.length === 1) expected.set(agentHost(name), `127.0.0.1:${port} ${upstream.protocol}`)
          }
        }
        const found = new Map(routeTable(list).map(({ dial, host, protocol }) => [host, `${dial} ${protocol}`]))
        expect(found).toEqual(expected)
      }),
    )
  })
})

describe('certificateHosts', () => {
  it('are localhost, the hosts, and the bare hosts of agents with several endpoints', () => {
    const several = agent('checkout', { api: 8080, web: 3000 }, { 3000: 49_152, 8080: 49_153 })
    const single = agent('app', { web: 3000 }, { 3000: 49_154 })
    expect(certificateHosts(routeTable([several, single]).map(({ host }) => host))).toEqual([
      'api.checkout.localhost',
      'app.localhost',
      'checkout.localhost',
      'localhost',
      'web.app.localhost',
      'web.checkout.localhost',
    ])
    expect(certificateHosts([])).toEqual(['localhost'])
  })
})
