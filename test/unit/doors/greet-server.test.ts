// What a first connection tells of a server: with real servers on loopback, of the kinds that people put behind an endpoint.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createH2c } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type GreetOptions, greetServer } from '../../../src/doors/greet-server.js'
import type { Expected } from '../../../src/routing/greeting.js'
import { Servers } from '../../helpers/servers.js'

// Ten times what is usual: a server is not quiet only because the machine is slow.
const patience = { answer: 15_000, first: 2_000, reply: 3_000 }
const timeout = 90_000
const greet = (port: number, expected: Expected, options: GreetOptions = {}) =>
  greetServer({ host: '127.0.0.1', port }, expected, { patience, ...options })

const servers = new Servers()
const others: Server[] = []
let directory: string
let tls: { cert: Buffer; key: Buffer }

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-greet-'))
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const subject = ['-subj', '/CN=self', '-days', '2', '-keyout', key, '-out', cert]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject],
    {
      stdio: 'ignore',
    },
  )
  tls = { cert: readFileSync(cert), key: readFileSync(key) }
})
afterAll(async () => {
  await servers.closeAll()
  for (const server of others) server.close()
  rmSync(directory, { force: true, recursive: true })
})

const portOf = (server: Server) => (server.address() as AddressInfo).port

/** A server of Node's, whose requests `seen` counts. */
async function listening(server: Server): Promise<number> {
  others.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return portOf(server)
}

async function raw(onConnection: (socket: Socket) => void): Promise<number> {
  return portOf(await servers.listen(onConnection, { host: '127.0.0.1', port: 0 }))
}

const says = (banner: string | Buffer) => (socket: Socket) => void socket.write(banner)
/** Ends a connection at the first bytes, as Python's server does at an empty line. */
const strict = (answer: string) => (socket: Socket) =>
  void socket.on('data', (chunk) => socket.end(/^[A-Z]+ /.test(`${chunk}`) ? answer : ''))

const kinds: [string, () => Promise<number>, Partial<Record<Expected, object>>][] = [
  [
    'HTTP',
    () => listening(createServer()),
    { h2c: { kind: 'h1' }, http: { kind: 'proper' }, https: { kind: 'plain' } },
  ],
  [
    'HTTP that ends connections at anything but a request',
    () => raw(strict('HTTP/1.0 200 OK\r\n\r\n')),
    { http: { kind: 'proper' }, https: { kind: 'plain' } },
  ],
  ['HTTPS', () => listening(createHttps(tls)), { http: { kind: 'tls' }, https: { kind: 'proper' } }],
  ['HTTP/2 without TLS', () => listening(createH2c()), { h2c: { kind: 'proper' }, http: { kind: 'h2c' } }],
  [
    'a reset after the handshake',
    () => raw((socket) => socket.resetAndDestroy()),
    { http: { kind: 'closes' }, https: { kind: 'closes' } },
  ],
  ['an end without a word', () => raw((socket) => socket.end()), { h2c: { kind: 'closes' }, http: { kind: 'closes' } }],
  [
    'SSH',
    () => raw(says('SSH-2.0-OpenSSH_9.9\r\n')),
    { http: { kind: 'other', name: 'SSH' }, https: { kind: 'other', name: 'SSH' } },
  ],
  ['SMTP', () => raw(says('220 mail.test ESMTP\r\n')), { http: { kind: 'other', name: 'SMTP' } }],
  ['FTP', () => raw(says('220 (vsFTPd 3.0.5)\r\n')), { http: { kind: 'other', name: 'FTP' } }],
  ['POP3', () => raw(says('+OK ready\r\n')), { http: { kind: 'other', name: 'POP3' } }],
  [
    'MySQL',
    () => raw(says(Buffer.from('4a0000000a382e302e333600', 'hex'))),
    { http: { kind: 'other', name: 'MySQL' } },
  ],
  ['something unknown', () => raw(says('hello?')), { http: { kind: 'other' } }],
]

it.concurrent.each(kinds)('%s is told apart', { timeout }, async (_, start, expected) => {
  const port = await start()
  const told = Object.keys(expected).map(async (protocol) => [protocol, await greet(port, protocol as Expected)])
  expect(Object.fromEntries(await Promise.all(told))).toEqual(expected)
})

it('of nobody nothing is said', async () => {
  const port = await listening(createServer())
  others.at(-1)?.close()
  expect(await greet(port, 'http')).toBeUndefined()
})

it('a server that is as it should be sees no request', { timeout }, async () => {
  let requests = 0
  const port = await listening(
    createServer(() => {
      requests += 1
    }),
  )
  expect(await greet(port, 'http')).toEqual({ kind: 'proper' })
  expect(requests).toBe(0)
})

it('a server is sent a request only by leave', { timeout }, async () => {
  const requests: string[] = []
  const port = await raw((socket) => {
    socket.on('data', (chunk) => {
      if (/^HEAD /.test(`${chunk}`)) requests.push(`${chunk}`)
      socket.end()
    })
  })
  expect(await greet(port, 'http', { mayAsk: () => false })).toBeUndefined()
  expect(requests).toEqual([])
  expect(await greet(port, 'http', { mayAsk: () => true })).toEqual({ kind: 'closes' })
  expect(requests.length).toBe(1)
})
