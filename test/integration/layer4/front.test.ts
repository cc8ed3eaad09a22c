// One port for HTTPS, plain HTTP and databases by name, with a Caddy that has the layer4 module.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CaddyAdmin } from '../../../src/caddy/admin.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { layer4Caddy, leaveOut } from '../../helpers/layer4-caddy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
let port: number
let ca: string
let missing: string | undefined

beforeAll(async () => {
  sandbox = new Sandbox()
  const caddy = await layer4Caddy()
  if ('missing' in caddy) {
    missing = caddy.missing
    return
  }
  sandbox.env.MOAT_CADDY = caddy.path
  const ports = `
  web: 3000
  locked: {port: 3000, basic_auth: {ann: secret}}
  db: {type: tcp, port: 5432, scheme: postgres}
  cache: {type: tcp, port: 6379, scheme: redis}`
  const workspace = sandbox.directory('app', {
    'databases.js': readFileSync('test/fixtures/databases.js', 'utf8'),
    'moat.yaml': `name: app\ndependencies: [node@22]\nports:${ports}\ncommand: [node, databases.js]\n`,
  })
  await sandbox.json<AgentView>(['run', '-d', workspace])
  await sandbox.json(['wait', 'app', '--timeout', '60'])
  port = (await sandbox.json<ProxyStatus>(['proxy', 'status'])).port
  ca = join(sandbox.home, 'proxy/ca/ca.crt')
}, 120_000)
beforeEach((context) => {
  if (missing !== undefined) leaveOut(context, missing)
})
afterAll(() => sandbox.cleanUp())

interface Plain {
  body: string
  headers: IncomingHttpHeaders
  status: number | undefined
}

/** Asks in the clear, as a webhook does. */
async function plain(host: string, path = '/', options: RequestOptions & { body?: string } = {}): Promise<Plain> {
  const { body, headers, ...rest } = options
  const outgoing = request({
    agent: false,
    headers: { Host: `${host}:${port}`, ...headers },
    host: '127.0.0.1',
    path,
    port,
    ...rest,
  }).end(body)
  const [response] = await once(outgoing, 'response')
  return { body: await text(response), headers: response.headers, status: response.statusCode }
}

const to = (servername: string, options: object = {}) =>
  connectTls({ ca: sandbox.certificate, host: '127.0.0.1', port, servername, ...options })

async function ask(socket: TLSSocket, question: string): Promise<string> {
  await once(socket, 'secureConnect')
  socket.write(question)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}

const run = promisify(execFile)
const clean = (extra: NodeJS.ProcessEnv = {}) => ({ HOME: sandbox.home, PATH: process.env.PATH, ...extra })

describe('plain HTTP', () => {
  it('is answered by the same endpoint, with the body it came with and the address it came from', async () => {
    const headers = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' }
    const answer = await plain('web.app.localhost', '/hook?a=b', { body: 'a webhook', headers, method: 'POST' })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({
      body: 'a webhook',
      headers: {
        host: `web.app.localhost:${port}`,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': `web.app.localhost:${port}`,
        'x-forwarded-proto': 'http',
      },
      method: 'POST',
    })
    const tls = await sandbox.get(`https://web.app.localhost:${port}/`)
    expect(JSON.parse(tls.body).headers['x-forwarded-proto']).toBe('https')
  })

  it('is answered over IPv6, and over HTTP/2 to who begins with it', async () => {
    expect((await plain('web.app.localhost', '/', { host: '::1' })).status).toBe(200)
    const url = `http://web.app.localhost:${port}/`
    const resolved = ['--resolve', `web.app.localhost:${port}:127.0.0.1`]
    const asked = await run('curl', ['-sS', '--http2-prior-knowledge', '-w', ' %{http_version}', ...resolved, url])
    expect(asked.stdout).toMatch(/} 2$/)
  })

  it.each(['evil.test', 'app.localhost.evil.test', '192.168.1.5', 'WEB.APP.LOCALHOST.evil.test'])(
    'is refused at %s',
    async (host) => {
      const answer = await plain(host)
      expect([answer.status, answer.body]).toEqual([403, 'This proxy serves localhost only.\n'])
    },
  )

  it('has the same pages about what is not there', async () => {
    for (const host of ['nobody.localhost', 'nothing.app.localhost']) {
      const [clear, tls] = [
        await plain(host),
        await sandbox.get(`https://${host}:${port}/`, { servername: 'localhost' }),
      ]
      expect([host, clear.status, clear.body]).toEqual([host, tls.status, tls.body])
    }
  })

  it.each(['localhost', 'LOCALHOST', 'LocalHost.'])('never shows the dashboard: %s is redirected', async (host) => {
    for (const path of ['/', '/_moat/key', '/_moat/token', '/agents/app', '/_moat/events', '/_moat/pages.css']) {
      const answer = await plain(host, path, { headers: { 'X-Moat-Token': 'x' }, method: 'POST' })
      expect([path, answer.status, answer.headers.location]).toEqual([path, 308, `https://localhost:${port}${path}`])
    }
  })

  it('neither asks for passwords nor takes them', async () => {
    for (const host of ['locked.app.localhost', 'Locked.App.localhost']) {
      const headers = { Authorization: `Basic ${btoa('ann:secret')}` }
      const answer = await plain(host, '/a?b', { headers })
      expect([answer.status, answer.headers.location]).toEqual([308, `https://locked.app.localhost:${port}/a?b`])
      expect(answer.headers['www-authenticate']).toBeUndefined()
    }
  })

  it('is counted on the dashboard as every request', async () => {
    const requests = async () => {
      const { body } = await sandbox.get(`https://localhost:${port}/`, { headers: { Accept: 'application/json' } })
      const { agents } = JSON.parse(body) as {
        agents: { endpoints: { counters: { requests: number }; name: string }[] }[]
      }
      return agents[0]?.endpoints.find(({ name }) => name === 'web')?.counters.requests ?? 0
    }
    const before = await requests()
    for (let count = 0; count < 5; count += 1) await plain('web.app.localhost')
    await until('five requests more', async () => (await requests()) >= before + 5)
  })
})

describe('what is neither TLS nor HTTP', () => {
  it.each([
    ['an unknown byte', '\x01\x02\x03\x04'],
    ['a Postgres client that does not ask for TLS', '\0\0\0\x15\0\x03\0\0user\0ann\0\0\0'],
    ['the PROXY protocol in binary', '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c'],
  ])('%s: the connection ends', async (_, bytes) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'close')
  })

  it('an address that a client claims is not believed', async () => {
    const socket = connect(port, '127.0.0.1')
    const claim =
      'PROXY TCP4 6.6.6.6 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: web.app.localhost\r\nConnection: close\r\n\r\n'
    socket.write(claim)
    expect(await text(socket)).not.toContain('6.6.6.6')
  })
})

describe('a database', () => {
  it('is reached by its name with psql, which asks for TLS first, and is who it says', async () => {
    const variables = { PGHOST: 'db.app.localhost', PGHOSTADDR: '127.0.0.1', PGPORT: `${port}` }
    const verified = { ...variables, PGSSLMODE: 'verify-full', PGSSLROOTCERT: ca, PGUSER: 'ann' }
    const { stdout } = await run('psql', ['-Atc', 'select who'], { env: clean(verified) })
    expect(stdout).toBe('postgres\n')
  })

  it('is reached by moat connect, which tells clients where and how', async () => {
    const psql = await sandbox.moat(['connect', 'app', 'db', '--', 'psql', '-U', 'ann', '-Atc', 'select who'])
    expect(psql).toEqual({ code: 0, stderr: '', stdout: 'postgres\n' })
    for (const way of [[], ['--plain']]) {
      const redis = await sandbox.moat(['connect', 'app', 'cache', ...way, '--', 'redis-cli', 'PING'])
      expect(redis).toEqual({ code: 0, stderr: '', stdout: 'redis\n' })
    }
    const shown = (await sandbox.moat(['connect', 'app', 'db'])).stdout
    expect(shown).toBe(
      `PGHOST=db.app.localhost PGHOSTADDR=127.0.0.1 PGPORT=${port} PGSSLMODE=verify-full PGSSLROOTCERT=${ca} psql\n`,
    )
    expect(await sandbox.moat(['connect', 'app', 'db', '--', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 })
    expect((await sandbox.moat(['connect', 'app', 'db', '--', 'no-such-client'])).stderr).toBe(
      'Error: no-such-client is not installed here.\n',
    )
  })

  it('is reached by its name with redis-cli', async () => {
    const where = ['-h', '127.0.0.1', '-p', `${port}`, '--tls', '--sni', 'cache.app.localhost', '--cacert', ca]
    expect((await run('redis-cli', [...where, 'PING'], { env: clean() })).stdout).toBe('redis\n')
  })

  it('is reached by whoever shakes hands at once, with the word for Postgres or without', async () => {
    const socket = to('db.app.localhost', { ALPNProtocols: ['postgresql'] })
    const answer = await ask(socket, '\0\0\0\x12\0\x03\0\0user\0ann\0\0')
    expect([socket.alpnProtocol, answer[0]]).toEqual(['postgresql', 'R'])
    expect(await ask(to('cache.app.localhost'), 'PING\r\n')).toBe('+redis\r\n')
    expect(await ask(to('CACHE.app.localhost'), 'PING\r\n')).toBe('+redis\r\n')
    expect(await ask(to('cache.app.localhost', { ALPNProtocols: ['mongodb'] }), 'PING\r\n')).toBe('+redis\r\n')
    expect(await ask(to('cache.app.localhost', { maxVersion: 'TLSv1.2' }), 'PING\r\n')).toBe('+redis\r\n')
  })

  it('answers a browser with a page', async () => {
    const url = `https://db.app.localhost:${port}/`
    for (const version of ['--http1.1', '--http2']) {
      const where = [
        '--cacert',
        ca,
        '--resolve',
        `db.app.localhost:${port}:127.0.0.1`,
        '-H',
        'Accept: application/json',
      ]
      const { stdout } = await run('curl', ['-sS', version, ...where, '-w', ' %{http_code}', url])
      expect(stdout).toMatch(/"error":"not_http".* 404$/s)
    }
    expect((await plain('db.app.localhost')).status).toBe(404)
  })

  it('has its name only while its agent has it, and the others keep theirs', async () => {
    const workspace = sandbox.directory('other', {
      'databases.js': readFileSync('test/fixtures/databases.js', 'utf8'),
      'moat.yaml': `name: other\ndependencies: [node@22]\nports: {cache: {type: tcp, port: 6379}}\ncommand: [node, databases.js]\n`,
    })
    const open = to('cache.app.localhost')
    await once(open, 'secureConnect')
    const closed: string[] = []
    open.on('close', () => closed.push('closed'))
    await sandbox.json(['run', '-d', workspace])
    expect(await ask(to('cache.other.localhost'), 'PING\r\n')).toBe('+redis\r\n')
    await sandbox.json(['stop', 'other'])
    const gone = to('cache.other.localhost')
    await once(gone, 'secureConnect')
    gone.write('GET / HTTP/1.1\r\nHost: cache.other.localhost\r\nConnection: close\r\n\r\n')
    expect(await text(gone)).toMatch(/^HTTP\/1\.1 404 /)
    // It was one config and the next, and the connection of before has noticed neither.
    open.write('PING\r\n')
    expect(String((await once(open, 'data'))[0])).toBe('+redis\r\n')
    expect(closed).toEqual([])
    open.destroy()
  })
})

describe('connections', () => {
  it('of many clients at once never get what is another’s', async () => {
    let left = 1_500
    const names = ['web.app.localhost', 'app.localhost', 'localhost', 'db.app.localhost']
    const knock = async () => {
      while (left > 0) {
        left -= 1
        const name = names[left % names.length] ?? ''
        if (left % 5 === 0) {
          expect((await plain('web.app.localhost', `/${left}`)).status).toBe(200)
          continue
        }
        const socket = to(name, { ALPNProtocols: ['http/1.1'] })
        await once(socket, 'secureConnect')
        expect([name, socket.getPeerX509Certificate()?.checkHost(name) !== undefined]).toEqual([name, true])
        socket.destroy()
      }
    }
    await Promise.all(Array.from({ length: 48 }, knock))
  })

  it('open before a change of the config go on: WebSockets in the clear and in TLS', async () => {
    const upgrade = {
      agent: false as const,
      headers: { Connection: 'Upgrade', Host: `web.app.localhost:${port}`, Upgrade: 'websocket' },
      host: '127.0.0.1',
      port,
    }
    const secure = { ...upgrade, ca: sandbox.certificate, servername: 'web.app.localhost' }
    const sockets = await Promise.all(
      [request(upgrade), requestTls(secure)].map(async (one) => (await once(one.end(), 'upgrade'))[1]),
    )
    let closed = 0
    for (const socket of sockets) socket.on('close', () => (closed += 1))
    const admin = new CaddyAdmin(join(sandbox.home, 'proxy/admin.sock'))
    const before = JSON.stringify(await admin.readConfig())
    const workspace = sandbox.workspace('one')
    const ports = 'ports: {web: {port: 3000, headers: {response: {X-From: moat}}}}'
    writeFileSync(
      join(workspace, 'moat.yaml'),
      `name: one\ndependencies: [node@22]\n${ports}\ncommand: [node, server.js]\n`,
    )
    await sandbox.json(['run', '-d', workspace])
    expect(JSON.stringify(await admin.readConfig())).not.toBe(before)
    await sandbox.json(['stop', 'one'])
    for (const socket of sockets) {
      socket.write('still here')
      expect(String((await once(socket, 'data'))[0])).toBe('still here')
    }
    expect(closed).toBe(0)
    for (const socket of sockets) socket.destroy()
  })

  it('find the socket for plain HTTP again after it was removed', async () => {
    const { unlinkSync } = await import('node:fs')
    unlinkSync(join(sandbox.home, 'proxy/plain.sock'))
    await until('plain HTTP', async () => (await plain('web.app.localhost').catch(() => undefined))?.status === 200)
  })

  it('are served by the Caddy that a new supervisor adopts, as before', async () => {
    const { caddy, supervisor } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(caddy?.layer4).toBe(true)
    process.kill(supervisor?.pid ?? 0, 'SIGKILL')
    const after = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(after.caddy).toEqual(caddy)
    expect((await plain('web.app.localhost')).status).toBe(200)
    expect(await ask(to('cache.app.localhost'), 'PING\r\n')).toBe('+redis\r\n')
  })
})
