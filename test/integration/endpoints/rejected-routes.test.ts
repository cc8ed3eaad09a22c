// Routes that Caddy rejects: whoever made them is named, and nobody else's agent notices.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CaddyRoute } from '../../../src/routing/agent.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { startLabelled } from '../../helpers/labelled-agent.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

/** A container with labels as a moat that took these routes would have written them. */
const startWith = (routes: CaddyRoute[]) =>
  startLabelled(sandbox, {
    endpoints: [{ name: 'web', plugin: 'moat-cli', type: 'odd' }],
    name: 'odd',
    routes: [{ endpoint: 'web', routes }],
  })

/** Nothing that routes may not have, and nothing that Caddy takes. */
const bad = [{ handle: [{ handler: 'error' }], match: [{ path_regexp: { pattern: '(' } }] }]

describe('routes that Caddy does not take', () => {
  it('cost their own endpoint, which says so; what starts later goes live', async () => {
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('good')])
    const good = endpoints[0]?.url ?? ''
    await startWith(bad)
    const status = await until('the problem to be told', async () => {
      const answer = await sandbox.json<ProxyStatus>(['proxy', 'status'])
      return answer.problem === undefined ? undefined : answer
    })
    expect(status.problem).toMatch(
      /^Caddy rejects the routes of odd's endpoint web \(plugin moat-cli\): .*missing closing \)/,
    )
    // It is told as soon as it is known, and Caddy a moment later.
    const refused = await until('Caddy to be told', async () => {
      const answer = await sandbox.get(good.replace('web.good', 'web.odd')).catch(() => undefined)
      return answer?.headers['x-moat-error'] === 'rejected_routes' && answer
    })
    expect(refused).toMatchObject({
      body: expect.stringContaining('the endpoint web, which the plugin moat-cli made'),
      headers: { 'x-moat-error': 'rejected_routes' },
      status: 502,
    })
    const later = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('later')])
    expect((await sandbox.get(later.endpoints[0]?.url ?? '')).body).toBe('later 3000')
    expect((await sandbox.get(good)).body).toBe('good 3000')
  })

  it('do not keep the proxy from starting', async () => {
    await startWith(bad)
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('good')])
    expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe('good 3000')
  })

  it('answer for no other host, whatever they match', async () => {
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('good')])
    const good = endpoints[0]?.url ?? ''
    const greedy = {
      handle: [{ body: 'captured', handler: 'static_response' }],
      match: [{ host: ['*.localhost', 'web.good.localhost', 'web.odd.localhost'] }, { host: ['web.good.localhost'] }],
    }
    await startWith([greedy])
    await until(
      'its own host',
      async () => (await sandbox.get(good.replace('web.good', 'web.odd'))).body === 'captured',
    )
    expect((await sandbox.get(good)).body).toBe('good 3000')
  })
})
