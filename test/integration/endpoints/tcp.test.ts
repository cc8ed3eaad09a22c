// A raw TCP endpoint: its address everywhere it is shown, and that it stays the same.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const server = `require('node:net').createServer((socket) => socket.end('a database')).listen(5432)`

function workspace(options: object = {}): string {
  return sandbox.directory('app', {
    'moat.yaml': `name: app\ndependencies: [node@22]\nports: {db: ${JSON.stringify({ port: 5432, scheme: 'postgres', type: 'tcp', ...options })}}\ncommand: [node, server.js]\n`,
    'server.js': server,
  })
}

function ask(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return text(connect({ host: hostname, port: Number(port) }))
}

describe('tcp', () => {
  it('has one address in run, list, status and the container, also after a restart', async () => {
    const started = await sandbox.moat(['run', '-d', workspace()])
    const url = /postgres:\/\/127\.0\.0\.1:\d+/.exec(started.stdout)?.[0] ?? ''
    expect(started.stdout).toBe(`${url}  → app container:5432\n`)
    expect(await sandbox.json(['wait', 'app', 'db', '--timeout', '20'])).toMatchObject({ endpoint: 'db', url })
    expect(await ask(url)).toBe('a database')

    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents[0]?.endpoints).toMatchObject([{ name: 'db', port: 5432, type: 'tcp', url }])
    expect((await sandbox.moat(['list'])).stdout).toMatch(/ db:5432\n/)
    const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(status.agents[0]?.endpoints[0]?.url).toBe(url)
    const environment = (await sandbox.inside('app', 'env')).stdout
    expect(environment).toContain(`MOAT_URL_DB=${url}\n`)
    expect(environment).toContain(`MOAT_HOST_DB=${new URL(url).host}\n`)
    expect(environment).not.toMatch(/^MOAT_URL=/m)
    const client = `require('node:net').connect(new URL(process.env.MOAT_URL_DB).port, '127.0.0.1').on('data', (data) => process.stdout.write(data))`
    expect((await sandbox.inside('app', 'node', '-e', client)).stdout).toBe('a database')

    const [container] = await sandbox.containers()
    await sandbox.docker.getContainer(container?.Id ?? '').restart({ t: 0 })
    expect(await until('the same address to answer', () => ask(url))).toBe('a database')

    // The next run of the agent has it too.
    await sandbox.json(['stop', 'app'])
    expect((await sandbox.moat(['run', '-d', workspace()])).stdout).toContain(url)
  })

  it('is not ready while nothing listens behind its port', async () => {
    const directory = workspace()
    sandbox.directory('app', {
      'server.js': "require('node:fs').watch('.', () => eval(require('node:fs').readFileSync('go.js', 'utf8')))",
    })
    await sandbox.json(['run', '-d', directory])
    expect((await sandbox.moat(['wait', 'app', '--timeout', '1'])).code).toBe(12)
  })

  it('takes the port that was asked for, or says who has it', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as { port: number }
    const refused = await sandbox.moat(['run', '-d', workspace({ host_port: port })])
    expect(refused).toMatchObject({
      code: 1,
      stderr: `Error: Port ${port} of the endpoint db is already in use by node (pid ${process.pid}).

Try this:
  choose another port in moat.yaml, or none, and moat finds one
  ps -fp ${process.pid}   # what it is
`,
    })
    expect(await sandbox.containers()).toEqual([])
    holder.close()
    await once(holder, 'close')
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', workspace({ host_port: port })])
    expect(endpoints[0]?.url).toBe(`postgres://127.0.0.1:${port}`)
  })
})
