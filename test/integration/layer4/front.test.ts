// One port for HTTPS and plain HTTP, with a Caddy that has the layer4 module, and what becomes of everything else.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OnePort } from '../../helpers/one-port.js'
import { until } from '../../helpers/until.js'

const one = new OnePort()
const run = promisify(execFile)

beforeAll(() => one.start('  web: 3000\n  locked: {port: 3000, basic_auth: {ann: secret}}'), 120_000)
afterAll(() => one.sandbox.cleanUp())

describe('plain HTTP', () => {
  it('is answered by the same endpoint, with the body it came with and the address it came from', async () => {
    const headers = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' }
    const answer = await one.plain('web.app.localhost', '/hook?a=b', { body: 'a webhook', headers, method: 'POST' })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({
      body: 'a webhook',
      headers: {
        host: `web.app.localhost:${one.port}`,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': `web.app.localhost:${one.port}`,
        'x-forwarded-proto': 'http',
      },
      method: 'POST',
    })
    const tls = await one.sandbox.get(`https://web.app.localhost:${one.port}/`)
    expect(JSON.parse(tls.body).headers['x-forwarded-proto']).toBe('https')
  })

  it('is answered over IPv6, and over HTTP/2 to who begins with it', async () => {
    expect((await one.plain('web.app.localhost', '/', { host: '::1' })).status).toBe(200)
    const url = `http://web.app.localhost:${one.port}/`
    const resolved = ['--resolve', `web.app.localhost:${one.port}:127.0.0.1`]
    const asked = await run('curl', ['-sS', '--http2-prior-knowledge', '-w', ' %{http_version}', ...resolved, url])
    expect(asked.stdout).toMatch(/} 2$/)
  })

  it.each(['evil.test', 'app.localhost.evil.test', '192.168.1.5', 'WEB.APP.LOCALHOST.evil.test'])(
    'is refused at %s',
    async (host) => {
      const answer = await one.plain(host)
      expect([answer.status, answer.body]).toEqual([403, 'This proxy serves localhost only.\n'])
    },
  )

  it('has the same pages about what is not there', async () => {
    for (const host of ['nobody.localhost', 'nothing.app.localhost']) {
      const [clear, tls] = [
        await one.plain(host),
        await one.sandbox.get(`https://${host}:${one.port}/`, { servername: 'localhost' }),
      ]
      expect([host, clear.status, clear.body]).toEqual([host, tls.status, tls.body])
    }
  })

  it.each(['localhost', 'LOCALHOST', 'LocalHost.'])('never shows the dashboard: %s is redirected', async (host) => {
    for (const path of ['/', '/_moat/key', '/_moat/token', '/agents/app', '/_moat/events', '/_moat/pages.css']) {
      const answer = await one.plain(host, path, { headers: { 'X-Moat-Token': 'x' }, method: 'POST' })
      expect([path, answer.status, answer.headers.location]).toEqual([
        path,
        308,
        `https://localhost:${one.port}${path}`,
      ])
    }
  })

  it('neither asks for passwords nor takes them', async () => {
    for (const host of ['locked.app.localhost', 'Locked.App.localhost']) {
      const headers = { Authorization: `Basic ${btoa('ann:secret')}` }
      const answer = await one.plain(host, '/a?b', { headers })
      expect([answer.status, answer.headers.location]).toEqual([308, `https://locked.app.localhost:${one.port}/a?b`])
      expect(answer.headers['www-authenticate']).toBeUndefined()
    }
  })

  it('is counted on the dashboard as every request', async () => {
    const requests = async () => {
      const { body } = await one.sandbox.get(`https://localhost:${one.port}/`, {
        headers: { Accept: 'application/json' },
      })
      const { agents } = JSON.parse(body) as {
        agents: { endpoints: { counters: { requests: number }; name: string }[] }[]
      }
      return agents[0]?.endpoints.find(({ name }) => name === 'web')?.counters.requests ?? 0
    }
    const before = await requests()
    for (let count = 0; count < 5; count += 1) await one.plain('web.app.localhost')
    await until('five requests more', async () => (await requests()) >= before + 5)
  })
})

describe('what is neither TLS nor HTTP', () => {
  it.each([
    ['an unknown byte', '\x01\x02\x03\x04'],
    ['a Postgres client that does not ask for TLS', '\0\0\0\x15\0\x03\0\0user\0ann\0\0\0'],
    ['the PROXY protocol in binary', '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c'],
  ])('%s: the connection ends', async (_, bytes) => {
    const socket = connect(one.port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'close')
  })

  it('an address that a client claims is not believed', async () => {
    const socket = connect(one.port, '127.0.0.1')
    const claim =
      'PROXY TCP4 6.6.6.6 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: web.app.localhost\r\nConnection: close\r\n\r\n'
    socket.write(claim)
    expect(await text(socket)).not.toContain('6.6.6.6')
  })
})
