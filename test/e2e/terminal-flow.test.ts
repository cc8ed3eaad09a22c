// The flow of the README through the packed package, installed elsewhere, as a user has it.
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { AgentView } from '../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../src/supervisor/proxy.js'
import { Sandbox } from '../helpers/sandbox.js'
import { until } from '../helpers/until.js'

/** The package's own, which is in no git worktree, wherever this checkout is. */
const hello = resolve(inject('packedMoat'), '../../examples/hello')

describe('the packed package', () => {
  let sandbox: Sandbox

  beforeAll(() => {
    sandbox = new Sandbox([process.execPath, inject('packedMoat')])
  })

  afterAll(() => sandbox.cleanUp())

  it('gives two agents with the same ports URLs of their own, and takes all away again', async () => {
    const darkMode = sandbox.start(['run', '--name', 'dark-mode', hello])
    const checkout = sandbox.start(['run', '--name', 'checkout', hello])
    await Promise.all([darkMode.prints('→ dark-mode container:3000'), checkout.prints('→ checkout container:3000')])

    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    const url = (agent: string, endpoint: string) =>
      agents.find(({ name }) => name === agent)?.endpoints.find(({ name }) => name === endpoint)?.url ??
      'no such endpoint'
    for (const agent of ['dark-mode', 'checkout']) {
      const answer = await sandbox.get(url(agent, 'web'))
      expect(answer.status).toBe(200)
      expect(answer.body).toContain(agent)
      expect(JSON.parse((await sandbox.get(url(agent, 'api'))).body)).toMatchObject({ agent })
      expect(url(agent, 'web')).toMatch(new RegExp(`^https://web\\.${agent}\\.localhost:\\d+$`))
    }
    // What run printed is what list says.
    expect(darkMode.stdout).toContain(`${url('dark-mode', 'web')}  → dark-mode container:3000`)

    const list = (await sandbox.moat(['list'])).stdout
    expect(list).toMatch(/^NAME +RUN ID +STATE +AGE +ENDPOINTS\n/)
    expect(list).toMatch(/^dark-mode +run_[0-9a-f]{12} +running +\d+s ago +web:3000, api:4000$/m)

    const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(status).toMatchObject({ caddy: { version: expect.stringMatching(/^2\./) }, status: 'running' })
    expect((await sandbox.moat(['proxy', 'status'])).stdout).toMatch(
      new RegExp(
        `^Routing Proxy\n=============\nStatus: running\nPort: ${status.port}\nCA: ${sandbox.home}/proxy/ca/ca.crt\n\nRegistered Agents:\n  (dark-mode|checkout)`,
      ),
    )

    const stop = await sandbox.moat(['stop', 'dark-mode'])
    expect(stop).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Stopped dark-mode \(run_[0-9a-f]{12}\)\.\n$/),
    })
    expect((await sandbox.get(url('dark-mode', 'web'))).status).toBe(404)
    // The example ends properly when it is asked to.
    expect((await darkMode.exited).code).toBe(0)

    const runId = agents.find(({ name }) => name === 'checkout')?.runId ?? ''
    expect((await sandbox.moat(['stop', runId])).code).toBe(0)
    await checkout.exited
    // The last agent is gone: so is the proxy.
    await until('the proxy to stop', async () => (await sandbox.processes()).supervisors.length === 0)
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
    expect(await sandbox.containers()).toEqual([])
  })
})
