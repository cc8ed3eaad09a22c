import { describe, expect, it } from 'vitest'
import { agentLimits, confineAgents } from '../../../src/confinement/confine-agents.js'
import {
  isHost,
  ownPathProblem,
  pathProblem,
  shownEndpoint,
  urlProblem,
} from '../../../src/confinement/judge-endpoint.js'
import { toLabels } from '../../../src/engine/labels.js'
import { fromLabels } from '../../../src/engine/read-labels.js'
import type { Agent, CaddyRoute, Endpoint, RouteFragment } from '../../../src/routing/agent.js'

const answer = (body: string): CaddyRoute => ({ handle: [{ body, handler: 'static_response' }] })

function agent(endpoints: Endpoint[], routes: RouteFragment[]): Agent {
  return {
    containerId: 'a',
    createdAt: '2025-01-01T00:00:00.000Z',
    endpoints,
    keep: false,
    name: 'a',
    published: {},
    routes,
    runId: 'run_0123456789ab',
    state: 'running',
    workspace: '/src',
  }
}

function confine(one: Agent, installed: string[] = []) {
  const { agents, problems } = confineAgents([one], {
    isInstalled: (plugin) => installed.includes(plugin),
    missing: (plugin) => [answer(`${plugin} is missing`)],
    refused: (plugin) => [answer(`${plugin} may not`)],
  })
  return { problems, routes: agents[0]?.routes }
}

describe('confineAgents', () => {
  const web = { name: 'web', plugin: 'moat-plugin-x', type: 'x' }
  const fragment = { endpoint: 'web', routes: [answer('x')] }

  it('runs the routes and serves the files of plugins that are installed here, and of no others', () => {
    expect(confine(agent([web], [fragment]), ['moat-plugin-x'])).toEqual({ problems: [], routes: [fragment] })
    for (const one of [fragment, { endpoint: 'web', files: { browse: false, root: '.' } }]) {
      expect(confine(agent([web], [one]))).toEqual({
        problems: [
          "a's endpoint web (plugin moat-plugin-x) is not served: its plugin is not installed here: moat plugins install moat-plugin-x.",
        ],
        routes: [{ endpoint: 'web', routes: [answer('moat-plugin-x is missing')] }],
      })
    }
  })

  it('hands requests on to a port whether or not the plugin is installed', () => {
    const plain = { endpoint: 'web', upstream: { port: 3000, protocol: 'http' as const } }
    expect(confine(agent([web], [plain]))).toEqual({ problems: [], routes: [plain] })
  })

  it('judges the routes of the core as those of any plugin', () => {
    const core = { name: 'web', type: 'http' }
    const reads = { default: true, endpoint: 'web', routes: [answer('{file./etc/passwd}')] }
    expect(confine(agent([core], [reads]))).toEqual({
      problems: [
        "a's endpoint web (plugin moat-cli) is not served: routes[0].handle[0].body: names the placeholder {file./etc/passwd}, which routes may not.",
      ],
      routes: [{ default: true, endpoint: 'web', routes: [answer('moat-cli may not')] }],
    })
  })

  it('has each endpoint once, and none that is not declared', () => {
    const second = { endpoint: 'web', routes: [answer('y')] }
    const stranger = { endpoint: 'api', routes: [answer('z')] }
    expect(confine(agent([web], [fragment, second, stranger]), ['moat-plugin-x']).routes).toEqual([fragment])
  })

  it.each(['{file./etc/passwd}', 'a b', '../x', '\u001b[2J', 'x'.repeat(215)])(
    'repeats no plugin’s name such as %j',
    (plugin) => {
      const { problems, routes } = confine(agent([{ ...web, plugin }], [fragment]), [plugin])
      expect(problems.join()).toContain('(plugin ?)')
      expect(routes).toEqual([{ endpoint: 'web', routes: [answer('? is missing')] }])
    },
  )

  it('has as much of an agent as there is room for', () => {
    const names = Array.from({ length: agentLimits.endpoints + 5 }, (_, index) => `e${index}`)
    const big = answer('x'.repeat(90_000))
    const all = agent(
      names.map((name) => ({ name, type: 'http' })),
      names.map((endpoint) => ({ endpoint, routes: [big] })),
    )
    const { problems, routes } = confine(all)
    expect(routes).toHaveLength(agentLimits.endpoints)
    expect(routes?.filter(({ routes: own }) => own?.[0] === big)).toHaveLength(5)
    expect(problems[0]).toBe('a has more than 100 endpoints, of which the first are served.')
    expect(problems[1]).toContain('its agent asks for more than 500000 characters of routes')
  })

  it('does not fall over a label that is nested without end', () => {
    const nested = `${'{"a":['.repeat(100_000)}${']}'.repeat(100_000)}`
    const labels = toLabels(agent([{ name: 'web', type: 'http' }], []))
    const routes = `[{"endpoint":"web","routes":[{"handle":[{"handler":"vars","x":${nested}}]}]}]`
    const labelled = fromLabels({ ...labels, 'dev.moat.routes': routes })
    expect(confine({ ...agent([], []), ...labelled }).problems[0]).toContain('routes: are nested more than 40 deep')
  })
})

describe('what an endpoint says of itself', () => {
  it.each(['postgres://127.0.0.1:5432', 'tcp://127.0.0.1:1', 'https://example.com/a?b=c'])(
    'may be the address %s',
    (url) => {
      expect(urlProblem(url)).toBeUndefined()
    },
  )

  it.each([
    'javascript://%0aalert(1)',
    'data://x',
    'file:///etc/passwd',
    'JAVASCRIPT://x',
    'x',
    'a://b c',
    'a://b\u001b',
    'a://b\n',
  ])('may not be the address %j', (url) => {
    expect(urlProblem(url)).toBeDefined()
    expect(shownEndpoint({ name: 'web', type: 'x', url })).toEqual({ name: 'web', type: 'x' })
  })

  it('is shown without control characters', () => {
    const endpoint: Endpoint = {
      columns: { a: 'b', c: '\u001b[2J' },
      links: [
        { title: 'a', url: '/' },
        { title: 'b\n', url: '/' },
      ],
      name: 'web',
      readiness: { kind: 'http', path: '//example.com' },
      type: 'x',
    }
    expect(shownEndpoint(endpoint)).toEqual({
      columns: { a: 'b' },
      links: [{ title: 'a', url: '/' }],
      name: 'web',
      type: 'x',
    })
  })

  it.each(['/etc', '..', 'a/../b', '', 'a\0b'])('is no directory such as %j', (path) => {
    expect(pathProblem(path)).toBeDefined()
  })

  it.each(['//example.com', '/\\example.com', 'health', '/a b', '/a\r\nb'])(
    'is no path to ask for such as %j',
    (path) => {
      expect(ownPathProblem(path)).toBeDefined()
    },
  )

  it.each([
    ['localhost:3000', true],
    ['[::1]:3000', true],
    ['web.a.localhost', true],
    ['a b', false],
    ['{env.HOME}', false],
    ['a\r\nb', false],
    ['', false],
    ['a:b', false],
  ])('has %j for a Host: %s', (host, expected) => {
    expect(isHost(host)).toBe(expected)
  })
})
