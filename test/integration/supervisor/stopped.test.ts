// A proxy that was stopped while agents run: whoever looks is told that their URLs lead nowhere, and how to have them back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
let url = ''
beforeAll(async () => {
  sandbox = new Sandbox()
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app', { web: 3000, api: 3001 })])
  url = endpoints[0]?.url ?? ''
  const plain = { 'moat.yaml': 'name: plain\ndependencies: [node@22]\ncommand: sleep 1000\n' }
  await sandbox.json(['run', '-d', sandbox.directory('plain', plain)])
})
afterAll(() => sandbox.cleanUp())

describe('a proxy that is stopped', () => {
  it('says whose URLs go', async () => {
    expect(await sandbox.moat(['proxy', 'stop'])).toEqual({
      code: 0,
      stderr: 'Still running, but without URLs: app. They get them back with: moat proxy start\n',
      stdout: 'Routing proxy stopped.\n',
    })
  })

  it.each(['list', 'status'])('is what moat %s says instead of a URL', async (command) => {
    const { stderr, stdout } = await sandbox.moat([command])
    expect(stdout).toContain('app')
    expect(stderr).toBe(
      'The routing proxy is not running, so nothing answers at the URLs of these agents. Start it with: moat proxy start\n',
    )
    expect(await sandbox.json([command])).toMatchObject({ proxy: 'stopped' })
  })

  it('is what proxy status says of the agents that wait for it', async () => {
    const { stdout } = await sandbox.moat(['proxy', 'status'])
    expect(stdout).toMatch(/^Routing Proxy\n=+\nStatus: stopped\n/)
    expect(stdout).toMatch(
      /\nRegistered Agents:\n {2}none\n\nWithout URLs until moat proxy start:\n {2}app {3}web:3000, api:3001\n$/,
    )
    const { agents, unserved } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect([agents, unserved?.map(({ name }) => name)]).toEqual([[], ['app']])
  })

  it('is not waited for', async () => {
    const started = performance.now()
    const outcome = await sandbox.moat(['wait', 'app', '--timeout', '60'])
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('The routing proxy is not running') })
    expect(outcome.stderr).toContain('Try this:\n  moat proxy start')
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  it('that is started again is nobody’s news any more', async () => {
    await sandbox.moat(['proxy', 'start', '--port', new URL(url).port])
    expect((await sandbox.moat(['wait', 'app', '--timeout', '20'])).code).toBe(0)
    expect((await sandbox.moat(['list'])).stderr).toMatch(/^All agents: https:/)
    const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(status.agents.map(({ name }) => name)).toEqual(['app'])
    expect(status).not.toHaveProperty('unserved')
  })
})
