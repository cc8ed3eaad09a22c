// A command that uses another engine than the running proxy. The other one is the same engine behind a second socket.
import { createServer, connect as dial, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'

let address: string
let env: { DOCKER_HOST: string }
let sandbox: Sandbox
let second: Server

beforeEach(async () => {
  sandbox = new Sandbox()
  ;({ address } = await connectEngine())
  const path = join(sandbox.directory('second'), 'engine.sock')
  second = createServer((client) => {
    const engine = dial(address.replace('unix://', ''))
    client.pipe(engine).pipe(client)
    client.on('error', () => engine.destroy())
    engine.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => second.listen(path, resolve))
  env = { DOCKER_HOST: `unix://${path}` }
})
afterEach(async () => {
  second.close()
  await sandbox.cleanUp()
})

describe('a proxy that follows another engine', () => {
  it('is an error for a run, and a note for what only looks', async () => {
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
    const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(status.engine).toBe(address)
    const outcome = await sandbox.moat(['run', '-d', sandbox.workspace('other')], { env })
    expect(outcome).toEqual({
      code: 1,
      stderr: `Error: The proxy on port ${status.port} follows the container engine at ${address}, but this command uses the one at ${env.DOCKER_HOST}.

Try this:
  DOCKER_HOST=${address} MOAT_RUNTIME= moat run
  moat proxy stop   # then the next run starts it for this engine
`,
      stdout: '',
    })
    expect(await sandbox.containers()).toHaveLength(1)
    expect(await sandbox.moat(['proxy', 'start', '--detach'], { env })).toMatchObject({ code: 1 })
    expect(await sandbox.moat(['list'], { env })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        `Note: the proxy follows the engine at ${address}; this is the one at ${env.DOCKER_HOST}.\n`,
      ),
    })
    expect((await sandbox.moat(['doctor'], { env })).stdout).toContain(
      `The proxy follows another engine, at ${address}`,
    )
    expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe('app 3000')
  })

  it('makes room when nothing needs it', async () => {
    await sandbox.json(['run', '-d', sandbox.workspace('app')])
    await sandbox.json(['stop', 'app'])
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('other')], { env })
    expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe('other 3000')
    expect((await sandbox.json<ProxyStatus>(['proxy', 'status'])).engine).toBe(env.DOCKER_HOST)
  })
})

describe('--runtime', () => {
  it('is the same for the command and for the supervisor it starts', async () => {
    const { endpoints } = await sandbox.json<AgentView>(
      ['run', '-d', '--runtime', 'docker', sandbox.workspace('app')],
      {
        env: { DOCKER_HOST: 'unix:///nonexistent.sock' },
      },
    )
    expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe('app 3000')
    const wrong = await sandbox.moat(['list', '--runtime', 'dokcer'])
    expect(wrong).toEqual({
      code: 2,
      stderr: `Error: --runtime names an unknown container engine, "dokcer"; did you mean docker? Known: colima, docker, docker-desktop, orbstack, podman, rancher.

Try this:
  moat doctor --runtime docker
`,
      stdout: '',
    })
  })
})
