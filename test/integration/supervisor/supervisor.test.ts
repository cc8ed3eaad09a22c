// The supervisor under bad luck: things are killed, and URLs go on answering.
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { rounds } from '../../helpers/fuzz.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { freePort } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const proxyStatus = () => sandbox.json<ProxyStatus>(['proxy', 'status'])
/** What the supervisor answers when asked for its status; undefined when nobody listens. */
const controlStatus = () =>
  new Promise<number | undefined>((resolve) => {
    const options = { path: '/status', socketPath: join(sandbox.home, 'proxy/control.sock') }
    request(options, (response) => resolve(response.resume().statusCode))
      .on('error', () => resolve(undefined))
      .end()
  })
const startApp = async () => {
  const agent = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  return { ...agent, url: agent.endpoints[0]?.url ?? '' }
}

describe('survival', () => {
  it('starts a killed Caddy again on the same port', async () => {
    const { url } = await startApp()
    const { caddy } = await proxyStatus()
    process.kill(caddy?.pid ?? 0, 'SIGKILL')
    const answer = await until('an answer', () => sandbox.get(url))
    expect(answer.body).toBe('app 3000')
    expect((await proxyStatus()).caddy?.pid).not.toBe(caddy?.pid)
  })

  it('adopts the Caddy of a killed supervisor, which serves all the while', async () => {
    const { url } = await startApp()
    const before = await proxyStatus()
    process.kill(before.supervisor?.pid ?? 0, 'SIGKILL')
    expect((await sandbox.get(url)).body).toBe('app 3000')
    const second = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('second')])
    expect((await sandbox.get(second.endpoints[0]?.url ?? '')).body).toBe('second 3000')
    expect((await sandbox.get(url)).body).toBe('app 3000')
    const after = await proxyStatus()
    expect(after.caddy).toEqual(before.caddy)
    expect(after.supervisor?.pid).not.toBe(before.supervisor?.pid)
    expect(after.port).toBe(before.port)
  })

  it('has a successor started by an attached run, without any command', async () => {
    const moat = sandbox.start(['run', sandbox.workspace('app')])
    await moat.prints('listening')
    const [pid = 0] = (await sandbox.processes()).supervisors
    process.kill(pid, 'SIGKILL')
    await until('a successor', async () => (await sandbox.processes()).supervisors.some((other) => other !== pid))
  })

  it('has no routes left of an agent that is destroyed while nobody supervises', async () => {
    const { url } = await startApp()
    await sandbox.json(['run', '-d', sandbox.workspace('second')])
    const [pid = 0] = (await sandbox.processes()).supervisors
    process.kill(pid, 'SIGKILL')
    await sandbox.json(['destroy', 'app'])
    // Its certificate is gone as well.
    expect((await sandbox.get(url, { servername: 'localhost' })).status).toBe(404)
  })

  it('restarts an adopted Caddy too', async () => {
    const { url } = await startApp()
    const before = await proxyStatus()
    process.kill(before.supervisor?.pid ?? 0, 'SIGKILL')
    await proxyStatus()
    process.kill(before.caddy?.pid ?? 0, 'SIGKILL')
    const answer = await until('an answer', () => sandbox.get(url))
    expect(answer.body).toBe('app 3000')
  })

  it('follows a container to its new port after a restart', async () => {
    // However long the engine takes from its end to its start.
    await sandbox.json(['proxy', 'start'])
    const { url } = await startApp()
    const [container] = await sandbox.containers()
    await sandbox.docker.getContainer(container?.Id ?? '').restart({ t: 0 })
    const answer = await until('an answer', async () => {
      const found = await sandbox.get(url)
      return found.status === 200 && found
    })
    expect(answer.body).toBe('app 3000')
  })
})

describe('many at once', () => {
  it('start one supervisor and one Caddy, and all answer', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `app-${index}`)
    const agents = await Promise.all(
      names.map((name) => sandbox.json<AgentView>(['run', '-d', sandbox.workspace(name)])),
    )
    const { caddys, supervisors } = await sandbox.processes()
    expect([caddys.length, supervisors.length]).toEqual([1, 1])
    for (const { endpoints, name } of agents)
      expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe(`${name} 3000`)
    await sandbox.json(['stop', ...names])
  })
})

describe('lifetime', () => {
  it('of a proxy that is just stopping is no reason for a new run to fail', async () => {
    // Again and again in the long form; soak/races.test.ts has the same for the end of the last agent.
    for (let round = 0; round < rounds(1); round += 1) {
      const { url } = await startApp()
      const stop = sandbox.start(['proxy', 'stop'])
      // Not before: a run that finds the proxy as it was would rightly lose it to the stop.
      await until('the proxy to be stopping', async () => (await controlStatus()) !== 200)
      const next = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace(`next-${round}`)])
      expect((await stop.exited).code).toBe(0)
      expect((await sandbox.get(next.endpoints[0]?.url ?? '')).body).toBe(`next-${round} 3000`)
      expect(new URL(url).hostname).toBe('web.app.localhost')
      await sandbox.json(['stop', 'app'])
    }
  })

  it('ends soon after the last agent, the port free again', async () => {
    const port = await freePort()
    const env = { MOAT_PROXY_PORT: String(port) }
    await sandbox.json(['run', '-d', sandbox.workspace('app')], { env })
    expect((await sandbox.moat(['stop', 'app'], { env })).code).toBe(0)
    await until('the port to be free', async () => {
      const socket = connect(port, '127.0.0.1')
      const [event] = await Promise.race([
        once(socket, 'connect').then(() => ['connect']),
        once(socket, 'error').then(() => ['error']),
      ]).catch(() => ['error'])
      socket.destroy()
      return event === 'error'
    })
    await until('the processes to end', async () => {
      const { caddys, supervisors } = await sandbox.processes()
      return caddys.length + supervisors.length === 0
    })
  })

  it('goes on after the last agent when it was started by proxy start', async () => {
    const start = await sandbox.moat(['proxy', 'start'])
    expect(start.code).toBe(0)
    expect(start.stdout).toContain('Status: running')
    await startApp()
    await sandbox.json(['stop', 'app'])
    // An idle proxy would have ended by the time a second agent has come and gone.
    await startApp()
    await sandbox.json(['stop', 'app'])
    expect((await proxyStatus()).status).toBe('running')
    expect((await sandbox.moat(['proxy', 'stop'])).stdout).toBe('Routing proxy stopped.\n')
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
    expect((await sandbox.moat(['proxy', 'stop'])).stdout).toBe('The routing proxy is not running.\n')
  })

  it('is attached in the foreground, tells agents as they come and go, and ends with Ctrl+C', async () => {
    const moat = sandbox.start(['proxy', 'start', '--foreground'])
    await moat.prints('Ctrl+C stops the proxy.')
    const { url } = await startApp()
    await moat.prints(`+ app   ${url}`)
    await sandbox.json(['stop', 'app'])
    await moat.prints('- app')
    moat.process.kill('SIGINT')
    expect((await moat.exited).code).toBe(0)
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
  })
})

describe('a start', () => {
  it('that is interrupted leaves no proxy', async () => {
    const moat = sandbox.start(['proxy', 'start', '--foreground'])
    await moat.prints('Starting the routing proxy')
    moat.process.kill('SIGINT')
    expect((await moat.exited).code).toBe(130)
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
  })

  it('does not wait for ever for a supervisor that hangs', async () => {
    await startApp()
    const [pid = 0] = (await sandbox.processes()).supervisors
    process.kill(pid, 'SIGSTOP')
    const outcome = await sandbox.moat(['run', '-d', sandbox.workspace('second')])
    process.kill(pid, 'SIGKILL')
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain(`Error: The proxy's supervisor (pid ${pid}) does not answer.

Try this:
  kill -KILL ${pid}   # the next command starts another, which adopts its Caddy
`)
  })
})

describe('the port', () => {
  it('that is taken is an error that names its holder; nothing is left', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const env = { MOAT_PROXY_PORT: String(port) }
    const outcome = await sandbox.moat(['run', '-d', sandbox.workspace('app')], { env })
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain(`Error: Port ${port} is already in use by node (pid ${process.pid}).

Try this:
  MOAT_PROXY_PORT=${port + 1} moat run
  moat proxy start --port ${port + 1}
  ps -fp ${process.pid}   # what it is
`)
    expect(await sandbox.containers()).toEqual([])
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
    await new Promise((resolve) => server.close(resolve))
  })

  it('of the running proxy is used unless another is asked for, which is an error that names both', async () => {
    const port = await freePort()
    await sandbox.json(['proxy', 'start', '--port', String(port)])
    const other = port === 65_535 ? port - 1 : port + 1
    const outcome = await sandbox.moat(['run', '-d', sandbox.workspace('app')], {
      env: { MOAT_PROXY_PORT: String(other) },
    })
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain(
      `Error: The proxy is already running on port ${port}, but port ${other} was asked for.

Try this:
  moat proxy stop && moat proxy start --port ${other}
  MOAT_PROXY_PORT=${port} moat run
`,
    )
    const agent = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')], {
      env: { MOAT_PROXY_PORT: '' },
    })
    expect(agent.endpoints[0]?.url).toBe(`https://web.app.localhost:${port}`)
  })
})

describe('files', () => {
  it('are for this user only', async () => {
    await startApp()
    const mode = (path: string) => (statSync(join(sandbox.home, path)).mode & 0o777).toString(8)
    expect(mode('proxy/control.sock')).toBe('600')
    expect(mode('proxy/admin.sock')).toBe('600')
    expect(mode('proxy/ca/ca.key')).toBe('600')
    expect(mode('proxy/ca/ca.crt')).toBe('644')
    expect(mode('proxy/supervisor.log')).toBe('600')
    expect(mode('proxy/caddy.log')).toBe('600')
    expect(mode('proxy')).toBe('700')
  })
})
