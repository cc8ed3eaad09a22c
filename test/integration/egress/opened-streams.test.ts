// Whatever protocol an opened request is part of goes through as it comes: events, WebSockets, HTTP/2 with trailers, uploads.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NetworkPolicy } from '../../../src/egress/policy.js'
import { Opened } from '../../helpers/opened.js'
import { type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import { until } from '../../helpers/until.js'

const runId = 'run_00000000000a'
const policy: NetworkPolicy = {
  host: [],
  peers: [],
  policy: 'strict',
  rules: ['stream.test', 'wrong.test', 'gone.test'].map((host) => ({
    effect: 'allow',
    host,
    paths: ['GET', 'POST'].map((method) => ({ effect: 'allow', method, path: '/**' })),
    text: host,
  })),
}

let opened: Opened
let host: StubHost
/** Ends the answer that waits. */
let finish: (() => void) | undefined
const heard: string[] = []

beforeAll(async () => {
  const authority = stubAuthority()
  host = await stubHost(authority, ['stream.test'], (request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n')
      finish = () => response.end('data: two\n\n')
      return
    }
    if (request.url === '/grpc') {
      response.writeHead(200, { 'content-type': 'application/grpc', trailer: 'grpc-status' })
      request.on('data', (chunk) => response.write(`${request.httpVersion} ${chunk}`))
      request.on('end', () => {
        response.addTrailers({ 'grpc-status': '0' })
        response.end()
      })
      return
    }
    request.on('data', (chunk) => heard.push(String(chunk)))
    request.on('end', () => response.end(`heard ${heard.join()}`))
  })
  // Of the simplest kind: what comes is sent back.
  host.server.on('upgrade', (request, socket: Socket) => {
    const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    const headers = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${key.digest('base64')}`]
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('\r\n')}\r\n\r\n`)
    socket.on('error', () => {}).pipe(socket)
  })
  const ports = { 'stream.test:443': host.port, 'wrong.test:443': host.port, 'gone.test:443': 1 }
  opened = await Opened.start({ agents: [{ policy, runId }], authority, ports })
}, 60_000)
afterAll(async () => {
  await opened?.close()
  host?.close()
})

const http2 = async () => {
  const socket = await opened.tunnel(runId, 'stream.test', ['h2'])
  return connectHttp2('https://stream.test', { createConnection: () => socket })
}
const upgrade = [
  'GET /socket HTTP/1.1',
  'Host: stream.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]
/** What has arrived so far. */
const collect = (stream: { on(event: 'data', listener: (chunk: Buffer) => void): unknown }) => {
  const parts: string[] = []
  stream.on('data', (chunk) => parts.push(chunk.toString()))
  return () => parts.join('')
}

describe('through an opened host', () => {
  it('each event arrives when it is sent', async () => {
    const socket = await opened.tunnel(runId, 'stream.test')
    const text = collect(socket)
    socket.write('GET /events HTTP/1.1\r\nHost: stream.test\r\n\r\n')
    await until('the first event', () => text().includes('data: one'))
    expect(text()).not.toContain('data: two')
    finish?.()
    await until('the second event', () => text().includes('data: two'))
    socket.destroy()
  })

  it('an upload arrives as it is sent', async () => {
    const socket = await opened.tunnel(runId, 'stream.test')
    const text = collect(socket)
    socket.write('POST /upload HTTP/1.1\r\nHost: stream.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
    await until('the first part', () => heard.includes('first'))
    socket.write('4\r\nlast\r\n0\r\n\r\n')
    await until('the answer', () => text().includes('heard first,last'))
    socket.destroy()
  })

  it('HTTP/2 goes on as HTTP/2, with trailers', async () => {
    const session = await http2()
    const stream: ClientHttp2Stream = session.request({ ':method': 'POST', ':path': '/grpc', te: 'trailers' })
    const text = collect(stream)
    const trailers = once(stream, 'trailers')
    stream.write('message')
    await until('the answer, before the request has ended', () => text().includes('2.0 message'))
    stream.end()
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' })
    session.close()
  })

  it('a WebSocket opens, though the host speaks HTTP/2, and outlives changes of the config', async () => {
    const socket = await opened.tunnel(runId, 'stream.test')
    const text = collect(socket)
    socket.write(`${upgrade.join('\r\n')}\r\n\r\n`)
    await until('the change of protocol', () => text().startsWith('HTTP/1.1 101'))
    socket.write('ping')
    await until('what was sent', () => text().endsWith('ping'))
    const config = await opened.caddy.admin.readConfig()
    await opened.caddy.admin.replace([], { ...config, logging: { logs: { default: { level: 'ERROR' } } } })
    socket.write('pong')
    await until('what was sent after the change', () => text().endsWith('pong'))
    await opened.caddy.admin.replace([], config)
    socket.destroy()
  })

  it('a WebSocket over HTTP/2 opens, as a GET', async () => {
    const session = await http2()
    await once(session, 'remoteSettings')
    const stream = session.request({
      ':method': 'CONNECT',
      ':path': '/socket',
      ':protocol': 'websocket',
      ':scheme': 'https',
      'sec-websocket-version': '13',
    })
    const text = collect(stream)
    const [headers] = await once(stream, 'response')
    expect(headers[':status']).toBe(200)
    stream.write('ping')
    await until('what was sent', () => text().endsWith('ping'))
    stream.close()
    session.close()
  })

  it.each([
    ['another protocol', 'GET', ['Upgrade: h2c']],
    ['two', 'GET', ['Upgrade: websocket', 'Upgrade: h2c']],
    ['two in a line', 'GET', ['Upgrade: websocket, h2c']],
    ['a WebSocket by another method', 'POST', ['Upgrade: websocket']],
  ])('a connection is not changed to %s', async (_, method, headers) => {
    const lines = [`${method} /socket HTTP/1.1`, 'Host: stream.test', 'Connection: Upgrade', ...headers]
    const socket = await opened.tunnel(runId, 'stream.test')
    const text = collect(socket)
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    await until('the refusal', () => text().includes('a connection can be changed to a WebSocket only'))
    expect(text()).toMatch(/^HTTP\/1\.1 403 /)
    socket.destroy()
  })

  it.each([
    [
      'whose certificate is for another',
      'wrong.test',
      /^\{.*"reason":"tls: failed to verify certificate: x509: .*"\}/m,
    ],
    ['where nobody listens', 'gone.test', /^\{.*"error":"unreachable","host":"gone.test"/m],
  ])('a host %s is an error, as JSON', async (_, name, body) => {
    const answer = await opened.raw(runId, name, `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer).toMatch(body)
  })

  it('HTTP/1.0 is answered', async () => {
    const answer = await opened.raw(
      runId,
      'stream.test',
      'POST /x HTTP/1.0\r\nHost: stream.test\r\nContent-Length: 1\r\n\r\na',
    )
    expect(answer).toContain('heard ')
  })
})
