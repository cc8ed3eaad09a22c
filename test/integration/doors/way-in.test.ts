// The way in: how the proxy reaches the servers of an agent, wherever and whenever they listen, and nothing else.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { containerOf, countingServer, startProgram, urlOf } from '../../helpers/programs.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)

let sandbox: Sandbox
const configs = async () => JSON.stringify(await sandbox.caddyConfig())
const start = (name: string, program: string, ports?: string) => startProgram(sandbox, name, program, ports)

beforeAll(() => {
  sandbox = new Sandbox()
})
afterAll(() => sandbox.cleanUp())

describe('a server in a container', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['0.0.0.0', 'any4'],
    ['::', 'any6'],
  ])('that listens on %s answers at its URL', async (address, name) => {
    const agent = await start(name, `${countingServer}server.listen(3000, '${address}')`)
    expect(await sandbox.get(urlOf(agent))).toMatchObject({ body: 'GET 0 0', status: 200 })
    expect(await sandbox.get(urlOf(agent).replace('web.', ''))).toMatchObject({ body: 'GET 0 0', status: 200 })
  })

  it('has no port on this machine', async () => {
    const { Ports } = await containerOf(sandbox, 'loopback')
    expect(Ports).toEqual([])
  })

  it('is reached by every spelling of its host', async () => {
    const { host, port } = new URL(urlOf(await agentNamed('any4')))
    const ask = (as: string) => sandbox.get(`https://${host}/`, { headers: { Host: as } })
    for (const as of [host.toUpperCase(), `Web.Any4.localhost:${port}`, `web.any4.localhost.:${port}`])
      expect([as, (await ask(as)).status]).toEqual([as, 200])
  })

  it('is reached by no text that only ends like its host, nor are pages', async () => {
    const { host, hostname, port } = new URL(urlOf(await agentNamed('any4')))
    const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, servername: hostname })
    const ask = async (authority: string, path: string) => {
      const stream = session.request({ ':authority': authority, ':path': path })
      const status = once(stream, 'response').then(([headers]) => headers[':status'])
      stream.resume().end()
      return status.catch((error) => error.code)
    }
    // From 2.11.9 on Caddy itself ends the streams of some of them.
    const refused = (answer: unknown) => answer === 403 || answer === 'ERR_HTTP2_STREAM_ERROR'
    try {
      for (const path of ['/', '/_moat/events']) {
        for (const prefix of ['/', '//', 'a/', './', '[', '%2f', '*', ' ', '?', '#', 'a\\', 'é'])
          expect([prefix, refused(await ask(`${prefix}${host}`, path))]).toEqual([prefix, true])
        for (const suffix of ['/', ':1/x', '/:1', ']', '\\', ',']) {
          const answer = await ask(`${hostname}${suffix}`, path)
          expect([suffix, refused(answer)]).toEqual([suffix, true])
        }
      }
      expect(await ask(host, '/')).toBe(200)
    } finally {
      session.destroy()
    }
  })

  it('gets a POST that comes before it listens, once, with its body', async () => {
    const agent = await start('late', `${countingServer}setTimeout(() => server.listen(3000, '127.0.0.1'), 2_000)`)
    const body = 'x'.repeat(300_000)
    const answer = await sandbox.get(urlOf(agent), { body, method: 'POST' })
    expect(answer).toMatchObject({ body: 'POST 300000 1', status: 200 })
    expect((await sandbox.get(urlOf(agent))).body).toBe('GET 0 1')
  })

  it('may end and come again, at another address: what comes meanwhile waits', async () => {
    const program = `${countingServer}
let address = '127.0.0.1'
server.on('request', (request) => {
  if (request.url !== '/restart') return
  server.close(() => setTimeout(() => server.listen(3000, '0.0.0.0'), 700))
  server.closeAllConnections()
})
server.listen(3000, address)`
    const agent = await start('again', program)
    expect((await sandbox.get(urlOf(agent))).status).toBe(200)
    await sandbox.get(`${urlOf(agent)}/restart`).catch(() => {})
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => sandbox.get(urlOf(agent), { body: 'hook', method: 'POST' })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(Math.max(...answers.map(({ body }) => Number(body.split(' ')[2])))).toBe(20)
  })

  it('that never comes: a person sees a page soon, a program is told after five seconds, of what listens instead', async () => {
    const agent = await start('elsewhere', `${countingServer}server.listen(5173, '127.0.0.1')`)
    const navigation = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }
    const timed = async (headers: Record<string, string>) => {
      const asked = performance.now()
      return { answer: await sandbox.get(urlOf(agent), { headers }), took: performance.now() - asked }
    }
    const [page, program] = await Promise.all([timed(navigation), timed({ Accept: 'application/json' })])
    expect(page.took).toBeLessThan(program.took - 1_000)
    expect(page.answer.body).toContain('5173')
    expect(program.took).toBeGreaterThan(4_000)
    expect([502, 503]).toContain(program.answer.status)
    expect(program.answer.body).toContain('5173')
  })
})

async function agentNamed(name: string): Promise<AgentView> {
  const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
  const found = agents.find((agent) => agent.name === name)
  if (!found) throw new Error(`there is no agent ${name}`)
  return found
}

describe('agents that come and go', () => {
  it('change nothing of Caddy’s config', async () => {
    const before = await configs()
    const agent = await start('guest', `${countingServer}server.listen(3000)`)
    expect((await sandbox.get(urlOf(agent))).status).toBe(200)
    expect(await configs()).toBe(before)
    await sandbox.json(['stop', 'guest'])
    expect(await configs()).toBe(before)
    expect((await sandbox.get(urlOf(agent), { servername: 'localhost' })).status).toBe(404)
    expect(readdirSync(join(sandbox.home, 'proxy/hosts')).filter((host) => host.includes('guest'))).toEqual([])
  })

  it('are reached again after docker restart, and after their supervisor was killed meanwhile', async () => {
    const { Id } = await containerOf(sandbox, 'loopback')
    const agent = await agentNamed('loopback')
    await run('docker', ['restart', '-t', '0', Id])
    await until('the URL to answer', async () => (await sandbox.get(urlOf(agent))).status === 200)
    const { supervisor } = await sandbox.json<{ supervisor: { pid: number } }>(['proxy', 'status'])
    process.kill(supervisor.pid, 'SIGKILL')
    expect((await sandbox.get(urlOf(agent))).status).toBe(200)
    await run('docker', ['restart', '-t', '0', Id])
    await sandbox.json(['proxy', 'status'])
    await until('the URL to answer', async () => (await sandbox.get(urlOf(agent))).status === 200)
  })

  it('are not waited for while they are paused', async () => {
    const { Id } = await containerOf(sandbox, 'any6')
    const agent = await agentNamed('any6')
    // Caddy keeps connections to it.
    await Promise.all(Array.from({ length: 5 }, () => sandbox.get(urlOf(agent))))
    const before = await configs()
    await run('docker', ['pause', Id])
    await until('the page of a paused agent', async () => (await configs()) !== before)
    for (let time = 0; time < 5; time++) expect((await sandbox.get(urlOf(agent))).status).toBeGreaterThanOrEqual(500)
    await run('docker', ['unpause', Id])
    await until('the URL to answer', async () => (await sandbox.get(urlOf(agent))).status === 200)
  })
})

describe('an agent whose container was renamed', () => {
  it('is not reached any more, by no connection that was kept, until it has its name again', async () => {
    const { Id, Names } = await containerOf(sandbox, 'any6')
    const agent = await agentNamed('any6')
    await Promise.all(Array.from({ length: 5 }, () => sandbox.get(urlOf(agent))))
    const before = await configs()
    await run('docker', ['rename', Id, `${Names[0]?.slice(1)}-other`])
    await until('Caddy to let go', async () => (await configs()) !== before)
    for (let time = 0; time < 5; time++) expect((await sandbox.get(urlOf(agent))).status).toBe(404)
    await run('docker', ['rename', Id, Names[0]?.slice(1) ?? ''])
    await until('the URL to answer', async () => (await sandbox.get(urlOf(agent))).status === 200)
  })
})

describe('the network of agents', () => {
  it('that somebody removed is made again by the next run', async () => {
    const network = sandbox.docker.getNetwork('moat')
    const apart = async () => ((await network.inspect()) as { Options: Record<string, string> }).Options
    expect(await apart()).toMatchObject({ 'com.docker.network.bridge.enable_icc': 'false' })
    // Others on this engine may be using it at this moment: then it stays.
    await network.remove().catch(() => {})
    expect((await start('again-there', `${countingServer}server.listen(3000)`)).name).toBe('again-there')
    expect(await apart()).toMatchObject({ 'com.docker.network.bridge.enable_icc': 'false' })
    await sandbox.json(['stop', 'again-there'])
  })
})

describe('an endpoint that is published', () => {
  it('at an address of its own reaches a server that only listens on loopback', async () => {
    const program = `require('node:net').createServer((socket) => socket.end('db')).listen(5432, '127.0.0.1')`
    const agent = await start('db', program, '{db: {type: tcp, port: 5432}}')
    await sandbox.json(['wait', 'db', 'db', '--timeout', '20'])
    const { port } = new URL(urlOf(agent, 'db'))
    const { stdout } = await run('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&3`])
    expect(stdout).toBe('db')
  })
})
