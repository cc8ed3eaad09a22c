// What the proxy promises to what goes through it: connections survive, foreign names are refused, http is redirected.
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CaddyAdmin } from '../../../src/caddy/admin.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'
import { openWebSocket } from '../../helpers/web-socket.js'

/** Echoes each byte of an upgraded connection, streams events, shows headers, and starts to listen late. */
const server = `
const http = require('node:http')
const server = http.createServer((request, response) => {
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\\n\\n')
    setInterval(() => response.write('data: tick\\n\\n'), 50)
  } else response.end(JSON.stringify({ headers: request.headers, method: request.method }))
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
  socket.pipe(socket)
})
setTimeout(() => server.listen(3000), 1000)
`

let sandbox: Sandbox
let url: URL

beforeAll(async () => {
  sandbox = new Sandbox()
  const workspace = sandbox.workspace('app')
  sandbox.directory('app', { 'server.js': server })
  const agent = await sandbox.json<AgentView>(['run', '-d', workspace])
  url = new URL(agent.endpoints[0]?.url ?? '')
})
afterAll(() => sandbox.cleanUp())

const target = (path: string) => ({
  agent: false as const,
  ca: sandbox.certificate,
  headers: { Host: url.host },
  host: '127.0.0.1',
  path,
  port: url.port,
  servername: url.hostname,
})

describe('an endpoint', () => {
  it('is waited for while it starts to listen', async () => {
    // The agent listens a second after its start; the request comes at once.
    expect((await sandbox.get(url.href)).status).toBe(200)
  })

  it('answers at the bare name of its agent, the only endpoint there', async () => {
    expect((await sandbox.get(`https://app.localhost:${url.port}/`)).status).toBe(200)
  })

  it('sees the host and port of the URL, and no forged forwarding headers', async () => {
    const forged = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'http' }
    // Each by itself is removed, one that says nothing too.
    const claims = ['Forwarded', 'True-Client-IP', 'X-Forwarded-Port', 'x-forwarded-prefix', 'X-REAL-IP']
    for (const claim of claims) {
      const { body } = await sandbox.get(url.href, { headers: { ...forged, [claim]: claim.length % 2 ? '6' : '' } })
      const { headers } = JSON.parse(body)
      expect(headers).toMatchObject({
        host: url.host,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': url.host,
        'x-forwarded-proto': 'https',
      })
      expect(headers).not.toHaveProperty([claim.toLowerCase()])
    }
  })
})

describe('open connections', () => {
  it('survive that other agents start and stop', async () => {
    const socket = await openWebSocket(target('/socket'))
    let echoed = ''
    let closed = false
    socket.on('data', (chunk) => {
      echoed += chunk
    })
    socket.on('close', () => {
      closed = true
    })
    const events = httpsRequest(target('/events'))
    events.end()
    const [stream] = (await once(events, 'response')) as [NodeJS.ReadableStream]
    let ticks = 0
    stream.on('data', () => {
      ticks += 1
    })
    const admin = new CaddyAdmin(join(sandbox.home, 'proxy/admin.sock'))
    const isServed = async (name: string) => JSON.stringify(await admin.readConfig()).includes(`web.${name}.localhost`)
    for (const name of ['one', 'two']) {
      const workspace = sandbox.workspace(name)
      const ports = 'ports: {web: {port: 3000, headers: {response: {X-From: moat}}}}'
      writeFileSync(
        join(workspace, 'moat.yaml'),
        `name: ${name}\ndependencies: [node@22]\n${ports}\ncommand: [node, server.js]\n`,
      )
      await sandbox.json(['run', '-d', workspace])
      // Caddy does take new configs meanwhile, for these have options, or this would prove nothing.
      expect(await isServed(name)).toBe(true)
      await sandbox.json(['stop', name])
      expect(await isServed(name)).toBe(false)
    }
    socket.write('still here')
    await until('the echo', () => echoed === 'still here')
    const seen = ticks
    await until('more events', () => ticks > seen + 2)
    expect(closed).toBe(false)
    socket.destroy()
    events.destroy()
  })
})

describe('who may not come in', () => {
  it('is a page that reaches the proxy under a name of its own', async () => {
    for (const host of ['evil.test', 'app.localhost.evil.test', '192.168.1.5']) {
      const answer = await sandbox.get(url.href, { headers: { Host: `${host}:${url.port}` } })
      expect([host, answer.status, answer.body]).toEqual([host, 403, 'This proxy serves localhost only.\n'])
    }
  })

  it.each(['127.0.0.1', '::1'])('that names no host gets a certificate of the root at %s', async (host) => {
    const names = await new Promise<string | undefined>((resolve, reject) => {
      // Without a servername nothing is named; who the certificate is for is not the question.
      const options = { ca: sandbox.certificate, checkServerIdentity: () => undefined, host, port: Number(url.port) }
      const socket = connectTls(options, () => {
        resolve(socket.getPeerCertificate().subjectaltname)
        socket.destroy()
      })
      socket.once('error', reject)
    })
    expect(names).toBeTruthy()
  })

  it('gets no certificate for a foreign name', async () => {
    const socket = connectTls({
      ca: sandbox.certificate,
      host: '127.0.0.1',
      port: Number(url.port),
      servername: 'example.com',
    })
    const [error] = await once(socket, 'error')
    expect(String(error)).toMatch(/alert/)
  })

  it('is anybody who does not come from this machine: only loopback is bound', async () => {
    const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFileSync(path, 'utf8')).join('\n')
    const port = Number(url.port).toString(16).toUpperCase().padStart(4, '0')
    const bound = [...tables.matchAll(new RegExp(`: ([0-9A-F]+):${port} [0-9A-F:]+ 0A `, 'g'))].map(
      ([, address]) => address,
    )
    expect(bound.length).toBeGreaterThan(0)
    for (const address of bound) expect(['0100007F', '00000000000000000000000001000000']).toContain(address)
  })
})

/** The proxy's certificate for a name, and why a client refuses it. */
async function handshake(servername: string): Promise<{ names: string | undefined; problem: string | undefined }> {
  const options = { ca: sandbox.certificate, host: '127.0.0.1', port: Number(url.port), rejectUnauthorized: false }
  const socket = connectTls({ ...options, servername })
  await once(socket, 'secureConnect')
  const { authorizationError: problem } = socket
  const names = socket.getPeerX509Certificate()?.subjectAltName
  socket.destroy()
  return { names, problem: problem ? String(problem) : undefined }
}

describe('certificates', () => {
  const leaves = () => join(sandbox.home, 'proxy/caddy/certificates/local')

  const files = () => readdirSync(join(sandbox.home, 'proxy/leaves'))

  it('are one for each agent, ready before the first request, without a change of the config', async () => {
    const before = await sandbox.caddyConfig()
    await sandbox.json(['run', '-d', sandbox.workspace('quick', { api: 8080, web: 3000 })])
    const mine = { names: 'DNS:quick.localhost, DNS:*.quick.localhost', problem: undefined }
    expect(await handshake('web.quick.localhost')).toEqual(mine)
    expect(await handshake('api.quick.localhost')).toEqual(mine)
    // Nothing but the page of the agent answers there, which needs one too; and what says that a name is none.
    for (const name of ['quick.localhost', 'wbe.quick.localhost', '3000.quick.localhost', 'WEB.Quick.localhost'])
      expect([name, await handshake(name)]).toEqual([name, mine])
    expect(await sandbox.caddyConfig()).toEqual(before)
    expect(readdirSync(leaves()).filter((name) => name.endsWith('localhost'))).toEqual(['localhost'])
    const file = join(sandbox.home, 'proxy/leaves/quick.pem')
    expect([files(), statSync(file).mode & 0o777]).toEqual([expect.arrayContaining(['app.pem', 'quick.pem']), 0o600])
    await sandbox.json(['stop', 'quick'])
    // A tab that is still open gets the friendly answer, not a warning.
    expect(await handshake('web.quick.localhost')).toEqual(mine)
    expect((await sandbox.get(`https://web.quick.localhost:${url.port}/`)).status).toBe(404)
  })

  it('lead a name typed wrong to the page that says so', async () => {
    const answer = await sandbox.get(`https://wbe.app.localhost:${url.port}/`)
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([404, { endpoints: ['web'], nearest: 'web' }])
  })

  it('are made for the names of agents only: 2,000 other names leave nothing behind', async () => {
    const before = readdirSync(leaves())
    const refused = await handshake('web.nobody.localhost')
    expect(refused).toEqual({ names: 'DNS:localhost', problem: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    let count = 0
    const knock = async () => {
      while (count < 2_000) {
        count += 1
        const name = count % 2 === 0 ? `n${count}.localhost` : `n${count}.nobody.localhost`
        expect((await handshake(name)).names).toBe('DNS:localhost')
      }
    }
    await Promise.all(Array.from({ length: 16 }, knock))
    expect(readdirSync(leaves())).toEqual(before)
    expect((await handshake('other.app.localhost')).names).toBe('DNS:app.localhost, DNS:*.app.localhost')
    expect(readdirSync(leaves())).toEqual(before)
  })

  it('are ready again after Caddy was killed', async () => {
    const { caddy } = await sandbox.json<{ caddy: { pid: number } }>(['proxy', 'status'])
    process.kill(caddy.pid, 'SIGKILL')
    const after = await until('a handshake', () => handshake('web.nobody.localhost'))
    expect(after.names).toBe('DNS:localhost')
  })
})

describe('answers of the proxy itself', () => {
  it('redirect http to https on the same port, keeping path and query, where Caddy cannot serve both', async () => {
    const { caddy } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    const request = httpRequest({
      agent: false,
      headers: { Host: url.host },
      host: '127.0.0.1',
      path: '/a?b=c',
      port: url.port,
    })
    request.end()
    const [response] = await once(request, 'response')
    const redirected = [308, `${url.origin}/a?b=c`]
    expect([response.statusCode, response.headers.location]).toEqual(caddy?.layer4 ? [200, undefined] : redirected)
    response.resume()
  })

  it('do not come from the admin API, which is a socket of this user', async () => {
    const socket = connectTcp(2019, '127.0.0.1')
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
