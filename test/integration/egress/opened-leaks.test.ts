// Ways by which an agent might get to see what a grant puts into its requests: answers that are no usual answers, and requests that
// are no usual requests. The host here says whatever it is told to.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tracesOf } from '../../../src/grants/injection.js'
import { Opened } from '../../helpers/opened.js'
import { stubAuthority } from '../../helpers/stub-hosts.js'

const runId = 'run_00000000000a'
/** With what URLs encode. */
const token = `tok/${randomBytes(16).toString('hex')}+x=`
const place = { kind: 'header', name: 'x-api-key', value: '{token}' } as const
const removed = '[removed by moat]'
const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())

/** What the host answers, by path. */
const answers: Record<string, string> = {
  '/early': `HTTP/1.1 103 Early Hints\r\nLink: <https://other.test/?t=${token}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  '/long': `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(30_000)}${token}${'b'.repeat(30_000)}\r\nContent-Length: 2\r\n\r\nok`,
  '/lower': `HTTP/1.1 302 Found\r\nLocation: https://other.test/?t=${lower(encodeURIComponent(token))}\r\nContent-Length: 0\r\n\r\n`,
  '/many': `HTTP/1.1 200 OK\r\n${Array.from({ length: 300 }, (_, index) => `X-Many-${index}: ${token}\r\n`).join('')}Content-Length: 2\r\n\r\nok`,
  '/reason': `HTTP/1.1 403 ${token}\r\nWWW-Authenticate: Bearer error="${token}"\r\nContent-Length: 2\r\n\r\nok`,
  '/same': `HTTP/1.1 200 OK\r\n${`X-Same: ${token}\r\n`.repeat(20)}Set-Cookie: ${token}=1; path=/${token}\r\nContent-Length: 2\r\n\r\nok`,
  '/switch': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: ${token}\r\nX-Echo: ${token}\r\n\r\nhello`,
  '/switched-wrongly': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${token}\r\n\r\nhello`,
  '/no-answer': `${token} is no answer of HTTP\r\n\r\n`,
  '/no-header': `HTTP/1.1 200 OK\r\n${token} is no header\r\n\r\n`,
  '/no-length': `HTTP/1.1 200 OK\r\nContent-Length: ${token}\r\n\r\nok`,
  '/no-coding': `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${token}\r\n\r\nok`,
}

/** Whatever has arrived, in a header for each of its lines. */
function echo(head: string): string {
  const lines = head.trim().split('\r\n')
  return `HTTP/1.1 200 OK\r\n${lines.map((line, index) => `X-Line-${index}: ${line}\r\n`).join('')}Content-Length: 2\r\n\r\nok`
}

let opened: Opened
let host: Server
const seen: string[] = []
const sockets = new Set<TLSSocket>()

beforeAll(async () => {
  const authority = stubAuthority()
  host = createServer({ ...authority.issue(['api.test']), ALPNProtocols: ['http/1.1'] }, (socket) => {
    sockets.add(socket)
    let head = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      seen.push(head)
      const [, path = ''] = /^\S+ ([^ ?]*)/.exec(head) ?? []
      head = ''
      socket.write(answers[path] ?? echo(seen.at(-1) ?? ''))
      if (/^\/(no|switch)/.test(path)) socket.end()
    })
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  const { port } = host.address() as AddressInfo
  const paths = [
    { effect: 'deny' as const, method: '*', path: '/secret/**' },
    { effect: 'allow' as const, method: '*', path: '/**' },
  ]
  const granted = { grant: 'my-api', headers: ['x-api-key'], hosts: ['api.test'], ports: [443], query: ['key'] }
  opened = await Opened.start({
    agents: [
      {
        grants: [{ ...granted, remove: [], removeQuery: [], traces: 13 }],
        policy: { policy: 'strict', rules: [{ effect: 'allow', host: 'api.test', paths, text: 'api.test' }] },
        runId,
      },
    ],
    authority,
    ports: { 'api.test:443': port },
    valueFor: async () => ({
      headers: { 'x-api-key': token },
      query: [token],
      traces: tracesOf({ place: [place] }, { token }),
    }),
  })
}, 60_000)
afterAll(async () => {
  await opened?.close()
  for (const socket of sockets) socket.destroy()
  host?.close()
})

const usual = ['Host: api.test', 'Connection: close']
const ask = (line: string, headers = usual) => opened.raw(runId, 'api.test', [line, ...headers, '', ''].join('\r\n'))

function expectNothing(text: string): void {
  for (const form of [token, encodeURIComponent(token), lower(encodeURIComponent(token)), token.slice(4, 36)])
    expect(text).not.toContain(form)
}

describe('an answer', () => {
  it.each([
    ['that comes before the answer', '/early'],
    ['with a long header', '/long'],
    ['with an address whose encoding is in small letters', '/lower'],
    ['with many headers', '/many'],
    ['with many of one name, and cookies', '/same'],
  ])('%s', async (_, path) => {
    const answer = await ask(`GET ${path} HTTP/1.1`)
    expectNothing(answer)
    expect(answer).toContain(removed)
  })

  it('with a reason', async () => {
    const answer = await ask('GET /reason HTTP/1.1')
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
    expectNothing(answer)
  })

  it('that changes to a WebSocket', async () => {
    const answer = await ask('GET /switch HTTP/1.1', ['Host: api.test', 'Connection: Upgrade', 'Upgrade: websocket'])
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(answer).toContain(removed)
    expectNothing(answer)
  })

  it('that changes to a WebSocket, over HTTP/2', async () => {
    const socket = await opened.tunnel(runId, 'api.test', ['h2'])
    const session = connectHttp2('https://api.test', { createConnection: () => socket })
    await new Promise((resolve) => session.once('remoteSettings', resolve))
    const stream = session.request({
      ':method': 'CONNECT',
      ':path': '/switch',
      ':protocol': 'websocket',
      ':scheme': 'https',
    })
    const headers = await new Promise((resolve) => stream.once('response', resolve))
    expect(JSON.stringify(headers)).toContain(removed)
    expectNothing(JSON.stringify(headers))
    session.destroy()
  })

  it.each(['/no-answer', '/no-header', '/no-length', '/no-coding', '/switched-wrongly'])(
    'that is none: %s',
    async (path) => {
      const up =
        path === '/switched-wrongly' ? ['Host: api.test', 'Connection: Upgrade, close', 'Upgrade: websocket'] : usual
      const answer = await ask(`GET ${path} HTTP/1.1`, up)
      expectNothing(answer)
    },
  )
})

/** What comes back has what arrived in a header, as an echo service has it. */
describe('a request', () => {
  const open = 'Connection: close'
  it.each([
    ['is a usual one', 'GET /x HTTP/1.1', usual],
    [
      'names variables of Caddy’s',
      'GET /x{http.vars.moat_set_0}?a={http.vars.moat_set_0}&{http.vars.moat_query_0}=1 HTTP/1.1',
      [...usual, 'X-Mine: {http.vars.moat_set_0}'],
    ],
    ['has the header go as one of the connection', 'GET /x HTTP/1.1', ['Host: api.test', `${open}, X-Api-Key`]],
    ['has a host in capitals', 'GET /x HTTP/1.1', ['Host: API.TEST', open]],
    ['sets what moat answers', 'GET /x HTTP/1.1', [...usual, 'X-Moat-Set-X-Api-Key: a', 'X-Moat-Trace-0: a']],
    ['wants a part', 'GET /x HTTP/1.1', [...usual, 'Range: bytes=0-1', 'TE: trailers']],
  ])('that %s has the value, and its sender does not see it', async (_, line, headers) => {
    const before = seen.length
    const answer = await ask(line, [...headers, 'X-Api-Key: mine'])
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expectNothing(answer)
    expect(answer).toContain(`X-Api-Key: ${removed}`)
    const [arrived = '', ...more] = seen.slice(before)
    expect(more).toEqual([])
    expect(arrived.split(token)).toHaveLength(2)
    expect(arrived).not.toContain('mine')
    expect(new URL(arrived.split(' ')[1] ?? '', 'https://api.test').searchParams.get('key')).toBe(token)
  })

  it.each([
    ['has a host with a dot', 'GET /x HTTP/1.1', ['Host: api.test.', open], 421],
    ['has the whole URL', 'GET https://api.test/x HTTP/1.1', usual, 403],
    ['has another URL', 'GET https://other.test/x HTTP/1.1', usual, 421],
    ['has another scheme', 'GET http://api.test:80/x HTTP/1.1', usual, 403],
    ['has another port', 'GET /x HTTP/1.1', ['Host: api.test:80', open], 403],
    ['is for an address', 'GET /x HTTP/1.1', ['Host: [::1]', open], 421],
    ['says two hosts', 'GET /x HTTP/1.1', ['Host: api.test', 'Host: other.test', open], 400],
  ])('that %s does not arrive', async (_, line, headers, status) => {
    const before = seen.length
    expect(await ask(line, headers)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(seen).toHaveLength(before)
  })
})

it('and the log of Caddy has none of it', () => {
  const files = readdirSync(opened.paths.home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  for (const { name, parentPath } of files) {
    const text = readFileSync(join(parentPath, name), 'utf8')
    expect(text.includes(token.slice(4, 36)), name).toBe(false)
  }
  expect(opened.reportLines.join('\n')).not.toContain(token.slice(4, 36))
})
