// Owns how Caddy gets to the hosts that it has opened: it asks here for a tunnel, by HTTP's CONNECT, and speaks TLS with the host
// through it. So names are looked up and addresses judged in one place, and nothing is dialled that was not looked at.
//
// Caddy can speak to a proxy over TCP only. The port is on loopback, where other users of this machine can come: they do not know
// the password.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { dirname } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { readDial, writeDial } from '../egress/dial-file.js'
import type { Tunnelled } from './dial.js'
import { parseTarget, type Target } from './target.js'

/** Of one agent: over HTTP/2 one connection of it may ask for many. */
const mostOfOne = 1_000
/** Who has not said the password yet: Caddy says it at once. Milliseconds. */
const usualDeadline = 5_000
const checkInterval = 1_000
const mostStrangers = 64

export interface CaddyDial {
  close(): void
  /** How many connections it has. */
  readonly count: number
}

export interface CaddyDialOptions {
  /** For the agent of a run; undefined when there is none. */
  dial(runId: string, target: Target): Promise<Tunnelled> | undefined
  /** Instead of the usual, for tests. Milliseconds. */
  headerDeadline?: number
  paths: Pick<MoatPaths, 'egressDial'>
}

/**
 * Resolves when it listens, and the file says where. At the port of before, if it is free, but always with another password:
 * while nobody listened, Caddy has told the former one to whoever took the port.
 */
export async function openCaddyDial({ dial, headerDeadline, paths }: CaddyDialOptions): Promise<CaddyDial> {
  const former = await readDial(paths)
  const sockets = new Set<Socket>()
  const counts = new Map<string, number>()
  const password = randomBytes(16).toString('hex')
  const strangers = new Set<Socket>()
  const headersTimeout = headerDeadline ?? usualDeadline
  const timing = { connectionsCheckingInterval: checkInterval, headersTimeout, requestTimeout: 0 }
  const server = createServer(timing, (_, response) => response.writeHead(404, { connection: 'close' }).end())
  server.on('connection', (socket) => {
    sockets.add(socket)
    strangers.add(socket)
    socket
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket)
        strangers.delete(socket)
      })
    const [first] = strangers
    if (strangers.size > mostStrangers) first?.destroy()
  })
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    const runId = runIdOf(request, password)
    if (runId === undefined) return refuse(client, '407 Proxy Authentication Required')
    strangers.delete(client)
    const count = counts.get(runId) ?? 0
    if (count >= mostOfOne) return refuse(client, '503 too many connections')
    counts.set(runId, count + 1)
    client.once('close', () => counts.set(runId, (counts.get(runId) ?? 1) - 1))
    if (head.length > 0) client.unshift(head)
    connectTo(request, client, (target) => dial(runId, target)).catch(() => client.destroy())
    return undefined
  })
  await listen(server, former?.port ?? 0).catch(() => listen(server, 0))
  await mkdir(dirname(paths.egressDial), { mode: 0o700, recursive: true })
  const { port } = server.address() as AddressInfo
  await writeDial(paths, { password, port })
  return {
    get count() {
      return sockets.size
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Nor is it waited for until the other side has read that. */
function refuse(client: Socket, status: string): void {
  client.end(`HTTP/1.1 ${status}\r\n\r\n`)
  client.destroySoon()
}

/** What is wrong is said where Caddy passes it on: in the line of the status. */
async function connectTo(
  { url = '' }: IncomingMessage,
  client: Socket,
  dial: (target: Target) => Promise<Tunnelled> | undefined,
): Promise<void> {
  const target = parseTarget(url)
  const dialled = target && (await dial(target))
  if (!dialled) return refuse(client, '403 network_policy: not for this agent')
  if ('problem' in dialled) {
    const status = dialled.refused ? '403 network_policy: ' : '502 unreachable: '
    return refuse(client, `${status}${dialled.problem.replace(/[^ -~]/g, '?')}`)
  }
  const { carrier, socket } = dialled
  if (client.destroyed) return void socket.destroy()
  client.write('HTTP/1.1 200 OK\r\n\r\n')
  client.once('close', () => socket.destroy())
  socket.once('close', () => client.destroySoon()).on('error', () => socket.destroy())
  carrier.carry(socket, client)
  client.pipe(socket)
}

/** The run for which Caddy asks; undefined for anybody but Caddy. */
function runIdOf({ headers }: IncomingMessage, password: string): string | undefined {
  const [, credentials = ''] = /^Basic ([A-Za-z0-9+/=]+)$/.exec(headers['proxy-authorization'] ?? '') ?? []
  const [, runId, given = ''] = /^(run_[0-9a-f]{12}):(.*)$/.exec(Buffer.from(credentials, 'base64').toString()) ?? []
  const [expected, actual] = [Buffer.from(password), Buffer.from(given)]
  return expected.length === actual.length && timingSafeEqual(expected, actual) ? runId : undefined
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}
