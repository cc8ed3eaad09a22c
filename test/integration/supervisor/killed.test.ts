// Supervisor and Caddy are killed, one by one or together, while agents run: the next command brings back what is missing.
import { existsSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const sandbox = new Sandbox()
const paths = moatPaths({ MOAT_HOME: sandbox.home })
let url: string

const answers = async () => (await sandbox.get(url)).body === 'app 3000'
const kill = (...pids: (number | undefined)[]) => {
  for (const pid of pids) process.kill(pid ?? Number.NaN, 'SIGKILL')
}
const status = () => sandbox.json<ProxyStatus>(['proxy', 'status'])

beforeAll(async () => {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  url = endpoints[0]?.url ?? ''
})
afterAll(() => sandbox.cleanUp())

describe('both', () => {
  it.each(['list', 'proxy status', 'open app --print'])('come back with moat %s, on the same port', async (command) => {
    const { caddys, supervisors } = await sandbox.processes()
    kill(...supervisors, ...caddys)
    const { stderr, stdout } = await sandbox.moat(command.split(' '))
    expect(stdout + stderr).toContain(new URL(url).port)
    expect(await answers()).toBe(true)
  })
})

describe('a supervisor', () => {
  it('has a successor after any command that asks for the proxy', async () => {
    const { supervisors } = await sandbox.processes()
    kill(...supervisors)
    await sandbox.json(['list'])
    expect((await sandbox.processes()).supervisors).toHaveLength(1)
  })

  it.each(['stop', 'destroy'])('that was killed before moat %s leaves nothing of the agent behind', async (command) => {
    const before = readdirSync(paths.agents)
    await sandbox.json(['run', '-d', sandbox.workspace('second')])
    const { supervisors } = await sandbox.processes()
    kill(...supervisors)
    await sandbox.json([command, 'second'])
    expect(readdirSync(paths.agents)).toEqual(before)
  })

  it('that adopted Caddy starts it again when it is killed', async () => {
    const before = await status()
    kill(before.supervisor?.pid)
    await status()
    kill(before.caddy?.pid)
    await until('an answer', answers)
  })
})

describe('a proxy that was stopped', () => {
  it('stays so, whatever agents run', async () => {
    expect((await sandbox.moat(['proxy', 'stop'])).code).toBe(0)
    expect(existsSync(paths.servedPort)).toBe(false)
    await sandbox.json(['list'])
    expect((await status()).status).toBe('stopped')
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
  })
})
