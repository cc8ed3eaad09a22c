// Owns plain HTTP through the gate: each request of a connection is judged by itself and sent on over a connection of its own,
// written anew, so that nobody behind it can read it otherwise than it was read here.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { type DoorContext, Exchange } from './exchange.js'
import { handedOn, valuesOf } from './headers.js'
import { parseAbsolute, parseTarget, sameTarget, type Target } from './target.js'

/** Where a request is to go, or why it is answered with 400. */
export type Question = { path: string; target: Target } | { mistake: string }

/** `tunnel` is where the connection leads that it came by; absent for requests to the proxy itself. */
export function readQuestion({ httpVersion, rawHeaders, url = '' }: IncomingMessage, tunnel?: Target): Question {
  const [coding = 'chunked', ...more] = valuesOf(rawHeaders, 'transfer-encoding')
  if (coding.toLowerCase() !== 'chunked' || more.length > 0)
    return { mistake: 'of transfer codings there is only chunked' }
  // Nobody behind the gate would cut it off, as whoever judges it might.
  if (url.includes('#')) return { mistake: 'what is asked for has no "#" in it' }
  const absolute = parseAbsolute(url)
  const asked = absolute ?? (tunnel && url.startsWith('/') ? { path: url, target: tunnel } : undefined)
  if (!asked) return { mistake: 'a proxy is asked for http://host/path, and for https by CONNECT' }
  if (tunnel && !sameTarget(asked.target, tunnel)) return { mistake: 'this tunnel leads to another host' }
  const hosts = valuesOf(rawHeaders, 'host')
  if (hosts.length === 0 && httpVersion === '1.0') return asked
  const [host = ''] = hosts
  // A tunnel to port 443 may carry HTTP too; its Host then has no port, as that of any other.
  const fallback = tunnel ? tunnel.port : 80
  if (hosts.length !== 1 || !sameTarget(parseTarget(host, fallback), asked.target))
    return { mistake: 'Host is not the host that was asked for' }
  return asked
}

export async function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  context: DoorContext,
  tunnel?: Target,
): Promise<void> {
  const question = readQuestion(request, tunnel)
  if ('mistake' in question) return answer(response, 400, { error: 'bad_request', message: question.mistake })
  const { method = 'GET' } = request
  const exchange = new Exchange(context, question.target, { method, path: question.path })
  if (!exchange.verdict.allowed) return answer(response, 403, exchange.refuse())
  const dialled = await context.dialler.dial(question.target, exchange.policy)
  if ('problem' in dialled) {
    if (dialled.refused) return answer(response, 403, exchange.refuse(dialled.problem))
    exchange.fail(dialled.problem)
    return answer(response, 502, unreachable(question.target, dialled.problem))
  }
  exchange.follow(dialled.socket)
  if (response.destroyed || request.socket.destroyed) return void dialled.socket.destroy()
  sendOn(request, response, dialled.socket, question)
}

function sendOn(
  request: IncomingMessage,
  response: ServerResponse,
  socket: Socket,
  { path, target }: { path: string; target: Target },
): void {
  // What it wanted to change to was not asked for: Node reads no further request after that.
  if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
  const outgoing = httpRequest({
    createConnection: () => socket,
    headers: outgoingHeaders(request, target),
    method: request.method ?? 'GET',
    path,
  })
  outgoing.on('response', (incoming) => {
    try {
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, handedOn(incoming.rawHeaders))
    } catch {
      // What Node reads it does not write in every case.
      response.destroy()
    }
    pipeline(incoming, response, () => socket.destroy())
  })
  outgoing.on('error', () => {
    if (!response.headersSent) answer(response, 502, unreachable(target, 'it ended the connection'))
    else response.destroy()
  })
  // An answer that stands behind others in a connection does not hear of its end.
  const { socket: client } = request
  const end = () => socket.destroy()
  response.once('close', end)
  client.once('close', end)
  socket.once('close', () => client.off('close', end))
  pipeline(request, outgoing, () => {})
}

/** As the client sent them, with one Host and one way to say where the body ends. */
export function outgoingHeaders({ method = '', rawHeaders, headers }: IncomingMessage, target: Target): string[] {
  const given = handedOn(rawHeaders, ['expect', 'host', 'content-length'])
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  const body = encoding !== undefined ? ['Transfer-Encoding', 'chunked'] : lengthOf(method, length)
  const [host = hostText(target)] = valuesOf(rawHeaders, 'host')
  return ['Host', host, ...given, ...body, 'Connection', 'close']
}

function lengthOf(method: string, length: string | undefined): string[] {
  if (length !== undefined) return ['Content-Length', length]
  return ['POST', 'PUT', 'PATCH'].includes(method) ? ['Content-Length', '0'] : []
}

function hostText({ host, port }: Target): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 80 ? name : `${name}:${port}`
}

export function unreachable({ host, port }: Target, message: string) {
  return { error: 'unreachable', host, message, port }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    connection: 'close',
    'content-length': Buffer.byteLength(text),
    'content-type': 'application/json',
  })
  response.end(text)
}
