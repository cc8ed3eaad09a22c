// Whatever labels say, Caddy's config names nothing outside the agent's own: from labels to the finished config.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { missingPlugin, refusedRoutes } from '../../../src/caddy/responses.js'
import { toCaddyConfig } from '../../../src/caddy/to-caddy-config.js'
import { confineAgents } from '../../../src/confinement/confine-agents.js'
import { type LabelledAgent, toLabels } from '../../../src/engine/labels.js'
import { fromLabels } from '../../../src/engine/read-labels.js'
import type { Agent } from '../../../src/routing/agent.js'
import { routeTable } from '../../../src/routing/route-table.js'
import { assertConfined, endpointRoutesOf } from '../../helpers/assert-confined.js'
import { settings } from '../caddy/settings.js'
import { hostileTexts, routes } from './hostile.js'

const { filesSocket } = settings
const runId = 'run_0123456789ab'
const published: Record<string, Record<number, number>> = { a: { 3000: 50_001 }, b: { 3000: 50_002 } }
const confines = {
  dialsOf: (host: string) => {
    const name = host.split('.').at(-2) ?? ''
    const ports = Object.values(published[name] ?? {}).map((port) => `127.0.0.1:${port}`)
    return name === 'a'
      ? [...ports, 3000, 22].map((one) => (one === ports[0] ? one : `unix/../ways/${runId}/${one}`))
      : ports
  },
  own: { dials: [`unix/${filesSocket}`], roots: ['/', '{http.reverse_proxy.header.X-Moat-Root}'] },
}

function agentOf(labelled: LabelledAgent): Agent {
  const ports = published[labelled.name] ?? {}
  return {
    ...labelled,
    containerId: labelled.name,
    createdAt: '2025-01-01T00:00:00.000Z',
    published: ports,
    state: 'running',
  }
}

/** The config of these agents, and how many of their endpoints are served as asked. */
function serve(agents: Agent[], installed: string[]) {
  const options = {
    isInstalled: (plugin: string) => installed.includes(plugin),
    missing: missingPlugin,
    refused: refusedRoutes,
  }
  const { agents: confined, problems } = confineAgents(agents, options)
  return { config: toCaddyConfig(settings, routeTable(confined, 'localhost')), problems }
}

const text = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.constantFrom('coverage', 'index.html', 'a/b', 'localhost:3000'),
)
const plugin = fc.constantFrom(
  'moat-plugin-x',
  'moat-plugin-x',
  'moat-cli',
  'moat-plugin-far',
  '{file./etc/passwd}',
  'a b',
)
const fragment = fc.record(
  {
    default: fc.boolean(),
    files: fc.record({ browse: fc.boolean(), fallback: text, root: text }, { requiredKeys: ['browse', 'root'] }),
    routes,
    upstream: fc.record(
      { host: text, port: fc.constantFrom(3000, 22), protocol: fc.constantFrom('http', 'https', 'h2c') },
      { requiredKeys: ['port', 'protocol'] },
    ),
  },
  { requiredKeys: [] },
)

/** One endpoint's label of each kind; whoever wrote it may have written anything. */
const endpoint = fc.record({
  fragment,
  plugin,
  shown: fc.record({ columns: fc.dictionary(text, text, { maxKeys: 2 }), url: text }, { requiredKeys: [] }),
})

function labelsOf(name: string, { fragment, plugin, shown }: { fragment: object; plugin: string; shown: object }) {
  const labels = toLabels({
    endpoints: [],
    keep: false,
    name,
    routes: [],
    runId,
    workspace: '/src',
  })
  return {
    ...labels,
    'dev.moat.endpoints': JSON.stringify([{ name: 'web', plugin, type: 'x', ...shown }]),
    'dev.moat.routes': JSON.stringify([{ endpoint: 'web', ...fragment }]),
  }
}

describe('the config of agents with any labels', () => {
  it('never names a path, a socket or an address that is not their own', { timeout: 240_000 }, () => {
    const seen = { asAsked: 0, notServed: 0, unreadable: 0 }
    fc.assert(
      fc.property(endpoint, fc.boolean(), (one, bySockets) => {
        let agent: Agent
        try {
          agent = { ...agentOf(fromLabels(labelsOf('a', one))), ...(bySockets && { wayIn: 'sockets' }) }
        } catch {
          // No agent at all: there is nothing to serve.
          seen.unreadable += 1
          return
        }
        const { wayIn: _, ...rest } = agent
        const other = agentOf({
          ...rest,
          endpoints: [{ name: 'web', type: 'http' }],
          name: 'b',
          routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
        })
        const { config, problems } = serve([agent, other], ['moat-plugin-x'])
        assertConfined(config, confines)
        if (problems.length === 0) seen.asAsked += 1
        else seen.notServed += 1
        if (/[^\x20-\x7e]/.test(problems.join())) throw new Error(problems.join())
      }),
      { numRuns: 20_000, seed: 20_261_128 },
    )
    // It has seen plenty of both, or it would prove nothing.
    expect(seen.asAsked).toBeGreaterThan(2_000)
    expect(seen.notServed).toBeGreaterThan(5_000)
  })

  it('hands connections by name to the agent’s own container only, and takes no text of labels for more than a name', () => {
    const plain = '/home/ann/.moat/proxy/plain.sock'
    const named = fc.record(
      {
        alpn: fc.array(fc.oneof(text, fc.constantFrom('postgresql', 'h2', 'http/1.1', '{env.HOME}')), {
          maxLength: 20,
        }),
        port: fc.constantFrom(3000, 22, 0, 70_000, 1.5),
        start: fc.constantFrom('postgres', 'smtp', '{file./etc/passwd}'),
      },
      { requiredKeys: ['port'] },
    )
    const seen = { asAsked: 0, not: 0 }
    fc.assert(
      fc.property(named, fc.boolean(), (one, bySockets) => {
        let agent: Agent
        try {
          const read = fromLabels(labelsOf('a', { fragment: { named: one }, plugin: 'moat-plugin-x', shown: {} }))
          agent = { ...agentOf(read), ...(bySockets && { wayIn: 'sockets' }) }
        } catch {
          seen.not += 1
          return
        }
        const { agents } = confineAgents([agent], {
          isInstalled: () => true,
          missing: missingPlugin,
          refused: refusedRoutes,
        })
        const config = toCaddyConfig({ ...settings, plain }, routeTable(agents, 'localhost'))
        const { servers } = (config as { apps: { http: { servers: Record<string, { listener_wrappers: unknown }> } } })
          .apps.http
        const wrappers = JSON.stringify(servers.moat?.listener_wrappers)
        const dials = [...wrappers.matchAll(/"dial":\["([^"]*)"\]/g)].map(([, dial]) => dial)
        const own = [`unix/../ways/${runId}/3000`, `unix/../ways/${runId}/22`, '127.0.0.1:50001']
        expect(own).toEqual(expect.arrayContaining(dials.filter((dial) => dial !== `unix/${plain}`)))
        expect(wrappers).not.toMatch(/\{(env|file|http|system)\b|passwd/)
        const names = [...wrappers.matchAll(/"sni":\[([^\]]*)\]/g)].map(([, list]) => list)
        expect(['"*.localhost","*.*.localhost"', '"web.a.localhost"']).toEqual(expect.arrayContaining(names))
        if (dials.length > 1) seen.asAsked += 1
        else seen.not += 1
      }),
      { numRuns: 2_000, seed: 20_261_128 },
    )
    expect(Math.min(seen.asAsked, seen.not)).toBeGreaterThan(50)
  })

  it('would be told apart from one that does', () => {
    const agent = agentOf(
      fromLabels(
        labelsOf('a', {
          fragment: { routes: [{ handle: [{ handler: 'file_server', root: '/etc' }] }] },
          plugin: 'moat-cli',
          shown: {},
        }),
      ),
    )
    const config = toCaddyConfig(settings, routeTable([agent], 'localhost'))
    expect(endpointRoutesOf(config)).toMatchObject([{ host: 'web.a.localhost' }])
    expect(() => assertConfined(config, confines)).toThrow('has the handler file_server')
  })
})
