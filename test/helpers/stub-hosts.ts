// Hosts under `.test` names on loopback, with certificates of an authority that is made for the test, and what stands in for the
// gate: it connects to them whatever their name resolves to.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createProxy } from 'node:http'
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface StubAuthority {
  /** Path of its certificate. */
  file: string
  issue(names: readonly string[]): { cert: Buffer; key: Buffer }
}

export function stubAuthority(): StubAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'moat-stub-'))
  const path = (name: string) => join(directory, name)
  const openssl = (...argv: string[]) => execFileSync('openssl', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const own = ['-keyout', path('ca.key'), '-out', path('ca.crt'), '-subj', '/CN=Stub authority', '-days', '2']
  openssl('req', '-x509', ...newKey, ...own)
  let count = 0
  return {
    file: path('ca.crt'),
    issue: (names) => {
      const leaf = `leaf-${count++}`
      writeFileSync(path(`${leaf}.ext`), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`)
      openssl('req', ...newKey, '-keyout', path(`${leaf}.key`), '-out', path(`${leaf}.csr`), '-subj', `/CN=${leaf}`)
      const signed = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
      openssl(
        'x509',
        '-req',
        '-in',
        path(`${leaf}.csr`),
        ...signed,
        '-extfile',
        path(`${leaf}.ext`),
        '-out',
        path(`${leaf}.crt`),
      )
      return { cert: readFileSync(path(`${leaf}.crt`)), key: readFileSync(path(`${leaf}.key`)) }
    },
  }
}

export type StubAnswer = (request: Http2ServerRequest, response: Http2ServerResponse) => void

export interface StubHost {
  close(): void
  port: number
  server: Http2SecureServer
}

/** Speaks HTTP/1.1 and HTTP/2, as hosts do. */
export async function stubHost(
  authority: StubAuthority,
  names: readonly string[],
  answer: StubAnswer,
): Promise<StubHost> {
  const server = createSecureServer({ ...authority.issue(names), allowHTTP1: true }, answer)
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => sessions.add(session))
  server.on('secureConnection', (socket) => sessions.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const session of sessions) session.destroy()
  }
  return { close, port: (server.address() as AddressInfo).port, server }
}

export interface StubGate {
  close(): void
  /** `host:port` of every connection, and for whom. */
  dialled: { runId: string; target: string }[]
  port: number
}

/** `ports` are those of stub hosts, by `host:port`; whatever else is asked for is refused as a private address is. */
export async function stubGate(password: string, ports: Readonly<Record<string, number>>): Promise<StubGate> {
  const dialled: StubGate['dialled'] = []
  const sockets = new Set<{ destroy(): void }>()
  const server: Server = createProxy().on('connect', (request, client) => {
    sockets.add(client)
    client.on('error', () => {})
    const [, credentials = ''] = /^Basic (.*)$/.exec(String(request.headers['proxy-authorization'])) ?? []
    const [runId = '', given] = Buffer.from(credentials, 'base64').toString().split(':')
    const port = ports[String(request.url).toLowerCase()]
    if (given !== password) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    dialled.push({ runId, target: String(request.url) })
    if (port === undefined) return client.end('HTTP/1.1 403 network_policy: private address 10.0.0.1\r\n\r\n')
    const host = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
    sockets.add(host)
    host.on('error', () => client.destroy())
    client.on('close', () => host.destroy())
    host.pipe(client).pipe(host)
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { close, dialled, port: (server.address() as AddressInfo).port }
}
