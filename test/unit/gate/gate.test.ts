import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createNet, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hostPortSocket } from '../../../src/config/paths.js'
import { networkLogFile } from '../../../src/egress/read-log.js'
import { policy, runId, TestGate } from '../../helpers/gate.js'

let directory: string
let web: Server
let secure: Server
const seen: string[] = []
const servers: { close(): unknown }[] = []
let gate: TestGate

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port

async function listen<T extends Server>(server: T): Promise<T> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function answer(request: IncomingMessage) {
  seen.push(`${request.method} ${request.headers.host}${request.url}`)
  return `${request.method} ${request.headers.host} ${request.url}`
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'moat-gate-tls-'))
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=stub']
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert], { stdio: 'pipe' })
  web = await listen(
    createServer((asked, response) => asked.pipe(response.writeHead(200, { 'x-told': answer(asked) }))),
  )
  web.on('upgrade', (asked: IncomingMessage, socket: Socket) => {
    answer(asked)
    if (asked.url === '/no') return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    return socket.pipe(socket)
  })
  const pair = { cert: readFileSync(cert), key: readFileSync(key) }
  secure = await listen(createHttps(pair, (asked, response) => response.end(answer(asked))) as unknown as Server)
})

afterEach(async () => {
  await gate.close()
  seen.length = 0
})

afterAll(() => {
  for (const server of servers) server.close()
  rmSync(directory, { force: true, recursive: true })
})

function open(extra: Record<string, string> = {}): TestGate {
  const [http, https] = [`127.0.0.1:${portOf(web)}`, `127.0.0.1:${portOf(secure)}`]
  const own = { 'api.test:443': https, 'api.test:80': http, 'other.test:443': https, 'other.test:80': http }
  gate = new TestGate({ ...own, 'inside.test': '127.0.0.1', ...extra })
  return gate
}

/** What a client of the gate is answered to a plain request. */
function ask(url: string, options: { body?: string; headers?: Record<string, string>; method?: string } = {}) {
  return new Promise<{ body: string; status: number | undefined; told: unknown }>((resolve, reject) => {
    const { host } = new URL(url)
    const sent = request(
      {
        agent: false,
        headers: { host, ...options.headers },
        method: options.method ?? 'GET',
        path: url,
        socketPath: gate.socketPath,
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (piece) => {
          body += piece
        })
        response.on('end', () => resolve({ body, status: response.statusCode, told: response.headers['x-told'] }))
      },
    )
    sent.on('error', reject).end(options.body)
  })
}

function shakeHands(socket: Socket, servername?: string): Promise<string> {
  return new Promise((resolve) => {
    const tls = connectTls({ rejectUnauthorized: false, socket, ...(servername !== undefined && { servername }) })
    tls.once('secureConnect', () => {
      tls.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`)
      tls.once('data', (piece) => resolve(String(piece)))
    })
    tls.once('error', (error) => resolve(`${(error as NodeJS.ErrnoException).code}`))
  })
}

describe('a tunnel', () => {
  it('leads to an allowed host, is written down, and is refused to any other with what would allow it', async () => {
    await open().apply(policy(['api.test']))
    const tunnel = await gate.tunnel('API.test:443')
    const text = await shakeHands(tunnel, 'api.test')
    tunnel.destroy()
    expect(text).toContain('GET api.test /')
    const refused = await gate.say('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n')
    expect(refused).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
    expect(JSON.parse(refused.split('\r\n\r\n')[1] ?? '')).toEqual({
      error: 'network_policy',
      hint: 'moat network allow my-app other.test',
      host: 'other.test',
      method: 'CONNECT',
      path: null,
      reason: 'no rule',
      rule: null,
    })
    const [first, second] = await gate.log(2)
    const own = { agent: 'my-app', runId }
    const both = [first, second].toSorted((a, b) => `${a?.host}`.localeCompare(`${b?.host}`))
    expect(both).toMatchObject([
      { ...own, host: 'api.test', port: 443, rule: 'api.test', verdict: 'allowed' },
      { ...own, bytesIn: 0, host: 'other.test', reason: 'no rule', verdict: 'blocked' },
    ])
    expect(both[0]?.bytesIn).toBeGreaterThan(100)
    const file = networkLogFile(gate.paths, runId)
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
  })

  it.each([
    ['another host in TLS', 'other.test'],
    ['no host in TLS', undefined],
  ])('is cut with an alert where the client names %s', async (_what, name) => {
    await open().apply(policy(['api.test']))
    expect(await shakeHands(await gate.tunnel('api.test:443'), name)).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
    expect(await gate.log(1)).toMatchObject([{ host: 'api.test', verdict: 'blocked' }])
  })

  it('is looked into where HTTP is spoken in it: another Host, and another path, are refused', async () => {
    await open().apply(policy([{ host: 'api.test', paths: [{ effect: 'allow', method: 'GET', path: '/open/**' }] }]))
    const say = async (text: string) => {
      const socket = await gate.tunnel('api.test:80')
      let answered = ''
      socket
        .on('data', (piece) => {
          answered += piece
        })
        .resume()
      socket.end(text)
      await once(socket, 'close')
      return answered
    }
    expect(await say('GET /open/1 HTTP/1.1\r\nHost: api.test\r\n\r\n')).toContain('x-told: GET api.test /open/1')
    expect(await say('GET /closed HTTP/1.1\r\nHost: api.test\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
    expect(await say('GET /open/1 HTTP/1.1\r\nHost: other.test\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    for (const path of ['/open/#/../../closed', '/open/1#', '/open/1?#', 'http://api.test/open/#/../../closed'])
      expect(await say(`GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
    expect(await say('GET http://other.test/open/1 HTTP/1.1\r\nHost: other.test\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await say('\r\nGET /closed HTTP/1.1\r\nHost: api.test\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
    expect(await say('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('')
    expect(await say('hello\n')).toBe('')
    expect(seen).toEqual(['GET api.test/open/1'])
  })

  it('lets the server speak first, ends each way by itself, and carries what is neither TLS nor HTTP', async () => {
    const echo = createNet({ allowHalfOpen: true }, (socket) => {
      socket.write('220 ready\n')
      socket.pipe(socket)
    })
    await listen(echo as unknown as Server)
    await open({ 'db.test:5432': `127.0.0.1:${portOf(echo)}` }).apply(policy([{ host: 'db.test', port: 5432 }]))
    const socket = await gate.tunnel('db.test:5432')
    let text = ''
    socket
      .on('data', (piece) => {
        text += piece
      })
      .resume()
    await once(socket, 'data')
    socket.end(`EHLO me\n${'x'.repeat(1_000_000)}`)
    await once(socket, 'close')
    expect(text).toBe(`220 ready\nEHLO me\n${'x'.repeat(1_000_000)}`)
    expect(await gate.log(1)).toMatchObject([{ bytesIn: 1_000_018, bytesOut: 1_000_008, verdict: 'allowed' }])
  })

  it.each([
    'inside.test:443',
    '127.0.0.1:443',
    '[::1]:443',
    '[::ffff:127.0.0.1]:443',
    '0x7f.1:443',
    '169.254.169.254:80',
  ])('to %s is refused, whatever rule there is', async (target) => {
    await open().apply(policy(['*', 'inside.test']))
    expect(await gate.say(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 403 [\s\S]* address [1:]/,
    )
  })

  it.each([
    'nobody.test',
    'a b.test:443',
    'api.test:0',
    'api.test:443@other.test:80',
    'user@api.test:443',
    '/x',
    '*:443',
  ])('to %s is no question', async (target) => {
    await open().apply(policy(['*']))
    expect(await gate.say(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('a plain request', () => {
  it('is judged by itself, with its body, on a connection that is kept', async () => {
    const rules = [{ host: 'api.test', paths: [{ effect: 'allow' as const, method: 'POST', path: '/a/*' }] }]
    await open().apply(policy(rules))
    expect(await ask('http://api.test/a/1?token=s3cret', { body: 'hi', method: 'POST' })).toEqual({
      body: 'hi',
      status: 200,
      told: 'POST api.test /a/1?token=s3cret',
    })
    const both =
      'GET http://api.test/a/1 HTTP/1.1\r\nHost: api.test\r\n\r\n' +
      'POST http://api.test/a/1 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    // The first is refused, and ends the connection.
    expect(await gate.say(both)).toMatch(/^HTTP\/1\.1 403 /)
    expect((await gate.log(2)).slice(0, 2)).toMatchObject([
      { method: 'POST', path: '/a/1', verdict: 'allowed' },
      { method: 'GET', path: '/a/1', verdict: 'blocked' },
    ])
  })

  it('goes on without what is between client and proxy, and without what Connection names', async () => {
    let raw: string[] = []
    const other = await listen(
      createServer((asked, response) => {
        raw = asked.rawHeaders
        response.end()
      }),
    )
    await open({ 'head.test:80': `127.0.0.1:${portOf(other)}` }).apply(policy(['head.test']))
    const names = {
      Connection: 'keep-alive, X-Secret, Host',
      'Proxy-Authorization': 'Basic eA==',
      'X-Kept': '1',
      'X-Secret': '1',
    }
    expect((await ask('http://head.test/', { headers: names })).status).toBe(200)
    expect(raw).toEqual(['Host', 'head.test', 'X-Kept', '1', 'Connection', 'close'])
  })

  it.each([
    ['another Host', 'GET http://api.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n'],
    ['another port in Host', 'GET http://api.test/ HTTP/1.1\r\nHost: api.test:8080\r\n\r\n'],
    ['two Hosts', 'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nHost: other.test\r\n\r\n'],
    ['no Host', 'GET http://api.test/ HTTP/1.1\r\n\r\n'],
    ['no host in the URL', 'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n'],
    ['a user in the URL', 'GET http://api.test@other.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n'],
    ['https without a tunnel', 'GET https://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n'],
    [
      'two lengths',
      'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    ],
    [
      'a length and chunks',
      'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'another coding',
      'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nX: a\r\n b\r\n\r\n'],
    ['a space before the colon', 'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length : 5\r\n\r\nGET /'],
    [
      'h2c',
      'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx',
    ],
  ])('with %s is answered with 400 or goes on as one request', async (what, text) => {
    await open().apply(policy(['*.test']))
    const answered = await gate.say(`${text}`)
    if (what === 'h2c') expect(answered).not.toContain('101 ')
    else expect(answered).toMatch(/^HTTP\/1\.1 400 /)
    if (what !== 'h2c') expect(seen).toEqual([])
  })

  it('of HTTP/1.0 needs no Host, and its end is the end of the connection', async () => {
    await open().apply(policy(['api.test']))
    const answered = await gate.say('GET http://api.test/old HTTP/1.0\r\n\r\n')
    expect(answered).toContain('x-told: GET api.test /old')
  })

  it('that becomes a WebSocket is a connection from then on; one that does not, ends', async () => {
    await open().apply(policy(['api.test']))
    const upgrade = 'Host: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    const socket = gate.connect()
    socket.write(`GET http://api.test/ws HTTP/1.1\r\n${upgrade}`)
    const [head] = await once(socket, 'data')
    expect(String(head)).toMatch(/^HTTP\/1\.1 101 /)
    socket.write('ping')
    expect(String((await once(socket, 'data'))[0])).toBe('ping')
    socket.destroy()
    const next = 'GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n'
    expect(await gate.say(`GET http://api.test/no HTTP/1.1\r\n${upgrade}${next}`)).toMatch(/^HTTP\/1\.1 404 [\s\S]*no$/)
    expect(seen).toEqual(['GET api.test/ws', 'GET api.test/no'])
  })
})

describe('the gate', () => {
  it('obeys a policy that has changed at once, and lets go of an agent that is gone', async () => {
    await open().apply(policy([]))
    expect((await ask('http://api.test/')).status).toBe(403)
    await gate.apply(policy(['api.test']))
    expect((await ask('http://api.test/')).status).toBe(200)
    await gate.gate.apply([])
    await expect(ask('http://api.test/')).rejects.toThrow('ENOENT')
  })

  it('keeps room for others however many connections an agent opens', async () => {
    open()
    const small = new TestGate({}, { descriptors: 228 })
    try {
      await small.apply(policy([]))
      const sockets = Array.from({ length: 200 }, () => small.connect().resume())
      await Promise.all(sockets.map((socket) => once(socket, 'connect')))
      const dropped = sockets.map((socket) => once(socket, 'end'))
      await Promise.any(dropped)
      expect(small.gate.count).toBeLessThan(50)
    } finally {
      await small.close()
    }
  })

  it('does not wait for who sends headers slowly, or nothing at all', async () => {
    open()
    const hasty = new TestGate({}, { headerDeadline: 100 })
    try {
      await hasty.apply(policy([]))
      expect(await hasty.say('GET http://api.test/ HTTP/1.1\r\nHost:')).toMatch(/^HTTP\/1\.1 408 /)
      expect(await hasty.say('')).toMatch(/^(|HTTP\/1\.1 408 [\s\S]*)$/)
    } finally {
      await hasty.close()
    }
  })

  it('leads to the ports of this machine that are listed, and to no others', async () => {
    await open().apply(policy([], { host: [portOf(web)] }))
    const path = hostPortSocket(gate.paths, runId, portOf(web))
    expect(await gate.say('GET /mine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', path)).toContain(
      'x-told: GET x /mine',
    )
    await gate.apply(policy([], { host: [] }))
    await expect(once(gate.connect(path), 'connect')).rejects.toThrow('ENOENT')
  })
})
