// An agent whose kernel is gVisor's, with the real one: sockets do not lead out of its container, so everything goes by ports.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = new Sandbox()
})
afterAll(() => sandbox.cleanUp())

it('an agent under gVisor answers at its URL, and is told what does not work there', async () => {
  const workspace = sandbox.workspace('boxed', { web: 3000 }, 'container: {runtime: runsc}\n')
  const { code, stderr, stdout } = await sandbox.moat(['run', '-d', '--json', workspace])
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('the runtime runsc gives each container a kernel of its own'),
  ])
  const { endpoints } = JSON.parse(stdout) as AgentView
  await sandbox.json(['wait', 'boxed', 'web'])
  expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe('boxed 3000')
  // Whose kernel it is: gVisor says that it is 4.4.
  const { stdout: kernel } = await sandbox.inside('boxed', 'uname', '-r')
  expect(kernel).toMatch(/^4\.4\.0/)
})

it('discovery is refused there, with the line that asks for it', async () => {
  const workspace = sandbox.workspace('finds', { web: 3000 }, 'container: {runtime: runsc}\ndiscover: true\n')
  const { code, stderr } = await sandbox.moat(['run', '-d', workspace])
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/moat\.yaml:\d+:\d+: "discover" is not possible here: the runtime runsc/),
  ])
  expect((await sandbox.containers()).map(({ Labels }) => Labels['dev.moat.name'])).not.toContain('finds')
})
