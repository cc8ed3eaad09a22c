// Owns tunnels: where CONNECT leads, and that what is said in one is meant for the host that was asked for.
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { canonicalHost, isAddress } from '../egress/hosts.js'
import type { Carrier } from './carrier.js'
import { type DoorContext, Exchange } from './exchange.js'
import { type FirstBytes, readFirstBytes } from './first-bytes.js'
import { proxyHeader } from './proxy-header.js'
import { rawAnswer } from './refusal.js'
import { parseTarget, type Target } from './target.js'

/** How long a client may take over the first bytes, once it has begun. Milliseconds. */
const openingDeadline = 20_000
/** How long the proxy may take to have a server for an agent, and how often that is tried. Milliseconds. */
const patience = 10_000
const retryInterval = 50
/** A fatal alert of TLS, unrecognized_name: what clients can tell people. */
const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70])
const established = 'HTTP/1.1 200 Connection established\r\n\r\n'

interface Reached {
  carrier: Carrier
  socket: Socket
}

/** `serveHttp` takes a tunnel in which HTTP is spoken, to look at each request. */
export async function openTunnel(
  { url = '' }: IncomingMessage,
  client: Socket,
  head: Buffer,
  context: DoorContext,
  serveHttp: (client: Socket, target: Target) => void,
): Promise<void> {
  client.on('error', () => client.destroy())
  if (head.length > 0) client.unshift(head)
  const target = parseTarget(url)
  if (!target) {
    client.end(rawAnswer('400 Bad Request', { error: 'bad_request', message: 'CONNECT takes a host and a port' }))
    return
  }
  const exchange = new Exchange(context, target)
  if (!exchange.verdict.allowed) return refuse(client, exchange)
  const host = await reach(exchange, context)
  if ('problem' in host) {
    if (host.refused) return refuse(client, exchange, host.problem)
    exchange.fail(host.problem)
    const body = { error: 'unreachable', host: target.host, message: host.problem, port: target.port }
    client.end(rawAnswer('502 Bad Gateway', body))
    return
  }
  if (client.destroyed) return void ('socket' in host && host.socket.destroy())
  client.write(established)
  const reached = 'socket' in host ? host : undefined
  // While the client makes up its first words.
  const ahead = reached ? undefined : connectAhead(context)
  // Of many protocols the server has the first word.
  reached?.carrier.carry(reached.socket, client)
  const part = reached && bind(client, reached)
  const firstBytes = await firstWords(client)
  const problem = judge(firstBytes, exchange)
  if (firstBytes.kind !== 'tls' || problem !== undefined) ahead?.socket.destroy()
  if (firstBytes.kind === 'http' && problem === undefined) {
    part?.()
    exchange.forget()
    return serveHttp(client, target)
  }
  if (problem !== undefined) return cut(client, reached, exchange, problem, firstBytes)
  if (reached) {
    exchange.follow(reached.socket)
    client.pipe(reached.socket)
  } else if ('addresses' in host) {
    const anew = () => intercept(client, exchange, context, host)
    if (ahead) ahead.take(() => handOn(client, ahead, exchange, context, host), anew)
    else anew()
  }
}

/** A connection; of a tunnel that is opened, only the addresses to which it may lead. */
function reach({ policy, target, verdict }: Exchange, { dialler }: DoorContext) {
  return verdict.intercept ? dialler.find(target, policy) : dialler.dialTunnel(target, policy)
}

function refuse(client: Socket, exchange: Exchange, reason?: string): void {
  client.end(rawAnswer('403 Forbidden', exchange.refuse(reason)))
}

/** The answer to CONNECT has been given: what remains is to end it. */
function cut(
  client: Socket,
  reached: Reached | undefined,
  exchange: Exchange,
  problem: string,
  { kind }: FirstBytes,
): void {
  exchange.refuse(problem)
  reached?.carrier.stop()
  if (kind === 'tls') client.end(alert)
  else client.destroy()
}

/**
 * Why it must not go on. A server has many names, and one that stands before many hosts takes whichever is named: so the one that
 * is named has to be the one that was allowed.
 */
function judge(firstBytes: FirstBytes, exchange: Exchange): string | undefined {
  const { target, verdict } = exchange
  if (firstBytes.kind === 'more' || firstBytes.kind === 'malformed') return 'neither TLS nor anything else'
  if (firstBytes.kind === 'other')
    return verdict.intercept ? 'its rules are about paths, and it speaks no HTTP' : undefined
  if (firstBytes.kind === 'http') return undefined
  const { serverName } = firstBytes
  if (serverName === undefined) return isAddress(target.host) ? undefined : 'TLS without a server name'
  const named = canonicalHost(serverName)
  if (named === target.host) return undefined
  // Under an address of its own there is no name to compare; it has to be one that may be reached.
  const free = isAddress(target.host) || exchange.policy.policy === 'permissive'
  const other = named !== undefined && free ? exchange.judge(named) : undefined
  return other?.allowed && !other.intercept
    ? undefined
    : `TLS for another host, ${(named ?? 'a malformed one').slice(0, 253)}`
}

/** What the client says first, left unread. A client that says nothing for now is not hurried. */
function firstWords(client: Socket): Promise<FirstBytes> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let timer: NodeJS.Timeout | undefined
    const finish = (firstBytes: FirstBytes) => {
      clearTimeout(timer)
      client.off('data', hear).off('end', end).off('close', end).pause()
      if (!client.destroyed && pieces.length > 0) client.unshift(Buffer.concat(pieces))
      resolve(firstBytes)
    }
    const hear = (piece: Buffer) => {
      pieces.push(piece)
      timer ??= setTimeout(() => finish({ kind: 'malformed' }), openingDeadline)
      const firstBytes = readFirstBytes(Buffer.concat(pieces))
      if (firstBytes.kind !== 'more') finish(firstBytes)
    }
    // Who says nothing at all may still listen.
    const end = () => finish({ kind: pieces.length > 0 ? 'malformed' : 'other' })
    client.on('data', hear).once('end', end).once('close', end)
  })
}

function connectToProxy({ dialler, interceptSocket }: DoorContext): Reached {
  const carrier = dialler.carrier()
  return { carrier, socket: connect({ allowHalfOpen: true, onread: carrier.onread, path: interceptSocket }) }
}

/** The proxy says nothing before it is spoken to, but it may end: who takes it has it for good, or is told that there is none. */
function connectAhead(context: DoorContext): Reached & { take(found: () => void, none: () => void): void } {
  const reached = connectToProxy(context)
  const { socket } = reached
  const drop = () => socket.destroy()
  socket.on('error', drop).once('end', drop).resume()
  const take = (found: () => void, none: () => void) => {
    socket.off('end', drop)
    // The client may be as quick as the proxy.
    if (socket.connecting) socket.once('connect', found).once('error', none)
    else if (socket.destroyed) none()
    else found()
  }
  return { ...reached, take }
}

function intercept(
  client: Socket,
  exchange: Exchange,
  context: DoorContext,
  host: { addresses: string[]; port: number },
  since = performance.now(),
): void {
  const reached = connectToProxy(context)
  const { socket: proxy } = reached
  // An agent may ask with its first instruction, before the proxy has a server for it; and the proxy may be starting again.
  proxy.once('error', () => {
    if (!client.destroyed && performance.now() - since < patience) {
      setTimeout(() => intercept(client, exchange, context, host, since), retryInterval)
      return
    }
    exchange.fail('the proxy does not answer')
    client.destroy()
  })
  proxy.once('connect', () => handOn(client, reached, exchange, context, host))
}

function handOn(
  client: Socket,
  proxy: Reached,
  exchange: Exchange,
  { agent, dialler }: DoorContext,
  { addresses, port }: { addresses: string[]; port: number },
): void {
  const { carrier, socket } = proxy
  if (client.destroyed) return void socket.destroy()
  socket.removeAllListeners('error')
  bind(client, proxy)
  // The address that was looked at: the proxy is not to ask for another. In one piece with what the client has said.
  const said: Buffer | null = client.read()
  socket.write(
    Buffer.concat([
      proxyHeader(agent().runId, exchange.target.port, addresses[0] ?? '', port),
      ...(said ? [said] : []),
    ]),
  )
  exchange.forget()
  // It ends as what leads to the host itself does.
  dialler.follow(socket, exchange.target)
  carrier.carry(socket, client)
  client.pipe(socket)
}

/** What ends one ends the other, once it has said all it had to say. The returned function leaves the client alone. */
function bind(client: Socket, { carrier, socket: server }: Reached): () => void {
  const follow = () => client.destroySoon()
  client.once('close', () => server.destroy())
  server.once('close', follow).on('error', () => server.destroy())
  return () => {
    server.off('close', follow)
    carrier.stop()
  }
}
