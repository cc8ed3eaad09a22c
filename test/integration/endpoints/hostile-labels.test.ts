// Labels that ask for what no endpoint may have: each costs its own endpoint, which says so, and nothing else is served.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCaddy } from '../../../src/caddy/find-caddy.js'
import { validateRoutes } from '../../../src/caddy/validate-routes.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { CaddyRoute, RouteFragment } from '../../../src/routing/agent.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { syncRoutes } from '../../../src/supervisor/control-client.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { copyHelloPlugin } from '../../helpers/hello-plugin.js'
import { startLabelled } from '../../helpers/labelled-agent.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'
import { allowedHandlers, allowedMatches } from '../../unit/confinement/hostile.js'

let sandbox: Sandbox
/** URL of the endpoint `web` of another agent. */
let good: string

beforeAll(async () => {
  sandbox = new Sandbox()
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('good')])
  good = endpoints[0]?.url ?? ''
  await startHostile()
})
afterAll(() => sandbox.cleanUp())

const answers = (body: string): CaddyRoute => ({ handle: [{ body, handler: 'static_response' }] })
const proxy = (dial: string): CaddyRoute => ({ handle: [{ handler: 'reverse_proxy', upstreams: [{ dial }] }] })

/** What each endpoint asks for, and the place that is named for it. */
function hostile(): Record<string, { fragment: Omit<RouteFragment, 'endpoint'>; place: string }> {
  const admin = `unix/${sandbox.home}/proxy/admin.sock`
  return {
    admin: { fragment: { routes: [proxy(admin)] }, place: 'routes[0].handle[0].upstreams[0].dial' },
    engine: {
      fragment: { routes: [proxy('unix//var/run/docker.sock')] },
      place: 'routes[0].handle[0].upstreams[0].dial',
    },
    environment: { fragment: { routes: [answers('{env.MOAT_HOME}')] }, place: 'routes[0].handle[0].body' },
    escaped: { fragment: { routes: [answers('\\}{{file./etc/passwd}')] }, place: 'routes[0].handle[0].body' },
    files: { fragment: { files: { browse: true, root: '../../../../../etc' } }, place: 'files.root' },
    host: {
      fragment: { routes: [{ handle: [{ handler: 'headers', request: { set: { Host: ['web.good.localhost'] } } }] }] },
      place: 'routes[0].handle[0].request.set',
    },
    passwd: {
      fragment: { routes: [{ handle: [{ handler: 'file_server', root: '/etc' }] }] },
      place: 'routes[0].handle[0].handler',
    },
    reads: { fragment: { routes: [answers('{file./etc/passwd}')] }, place: 'routes[0].handle[0].body' },
    variable: {
      fragment: {
        routes: [{ handle: [{ handler: 'vars', moat_dial: admin }] }],
        upstream: { port: 3000, protocol: 'http' },
      },
      place: 'routes[0].handle[0]',
    },
  }
}

/** A container whose labels somebody else than moat has thought up; `fine` and `far` ask for nothing bad. */
async function startHostile(): Promise<void> {
  const all: Record<string, Omit<RouteFragment, 'endpoint'>> = {
    ...Object.fromEntries(Object.entries(hostile()).map(([name, { fragment }]) => [name, fragment])),
    far: { routes: [answers('far')] },
    fine: { routes: [answers('fine')] },
  }
  await startLabelled(sandbox, {
    endpoints: Object.keys(all).map((name) => ({
      name,
      plugin: name === 'far' ? 'moat-plugin-hello' : 'moat-cli',
      type: 'x',
    })),
    name: 'bad',
    routes: Object.entries(all).map(([endpoint, fragment]) => ({ ...fragment, endpoint })),
  })
}

const ask = (endpoint: string, path = '/') => sandbox.get(good.replace('web.good', `${endpoint}.bad`) + path)

describe('labels that ask for what no endpoint may have', () => {
  it('have their endpoint say so, and proxy status name each with its place', async () => {
    const status = await until('the problems to be told', async () => {
      const answer = await sandbox.json<ProxyStatus>(['proxy', 'status'])
      return answer.problem?.includes("bad's endpoint variable") && answer
    })
    // It is told as soon as it is known, and served a moment later.
    await syncRoutes(join(sandbox.home, 'proxy/control.sock'))
    for (const [name, { place }] of Object.entries(hostile())) {
      expect(status.problem).toContain(`bad's endpoint ${name} (plugin moat-cli) is not served: ${place}: `)
      for (const path of ['/', '/passwd', '/config/', '/version']) {
        const answer = await ask(name, path)
        expect(answer).toMatchObject({ headers: { 'x-moat-error': 'refused_routes' }, status: 502 })
        expect(answer.body).not.toContain('root:')
      }
    }
  })

  it('cost nobody else anything, nor their own agent its other endpoints', async () => {
    expect(await ask('fine')).toMatchObject({ body: 'fine', status: 200 })
    expect((await sandbox.get(good)).body).toBe('good 3000')
  })

  it('are served from the moment on that their plugin is installed, and no longer than that', async () => {
    expect(await ask('far')).toMatchObject({
      body: expect.stringContaining('moat plugins install moat-plugin-hello'),
      headers: { 'x-moat-error': 'missing_plugin' },
      status: 502,
    })
    expect((await sandbox.json<ProxyStatus>(['proxy', 'status'])).problem).toContain(
      "bad's endpoint far (plugin moat-plugin-hello) is not served: its plugin is not installed here: moat plugins install moat-plugin-hello.",
    )
    expect(
      await sandbox.moat(['plugins', 'link', '--no-install', copyHelloPlugin(sandbox.directory('plugin'))]),
    ).toMatchObject({ code: 0 })
    expect(await ask('far')).toMatchObject({ body: 'far', status: 200 })
    expect(await sandbox.moat(['plugins', 'uninstall', 'moat-plugin-hello'])).toMatchObject({ code: 0 })
    expect((await ask('far')).headers).toMatchObject({ 'x-moat-error': 'missing_plugin' })
  })
})

describe('what routes may have', () => {
  it('is what Caddy takes', async () => {
    const { path } = await findCaddy({ env: process.env, paths: moatPaths({ MOAT_HOME: sandbox.home }) })
    const text = JSON.stringify([{ handle: allowedHandlers, match: allowedMatches }])
    const routes = JSON.parse(text.replaceAll('{moat.dial.3000}', '127.0.0.1:1')) as CaddyRoute[]
    expect(await validateRoutes(path, routes)).toBeUndefined()
  })
})
