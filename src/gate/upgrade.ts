// Owns WebSockets without TLS through the gate: one request that, once the host has agreed, is a connection.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type DoorContext, Exchange } from './exchange.js'
import { outgoingHeaders, readQuestion, unreachable } from './forward-request.js'
import { handedOn } from './headers.js'
import { rawAnswer } from './refusal.js'
import type { Target } from './target.js'

/** What else there is to change to (h2c) would carry requests that nobody judges. */
export function isWebSocket({ headers, method }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

export async function forwardUpgrade(
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
  context: DoorContext,
  tunnel?: Target,
): Promise<void> {
  client.on('error', () => client.destroy())
  const question = readQuestion(request, tunnel)
  const { headers, method = 'GET' } = request
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  if ('mistake' in question || hasBody || !isWebSocket(request)) {
    const message = 'mistake' in question ? question.mistake : 'a connection can be changed to a WebSocket only'
    client.end(rawAnswer('400 Bad Request', { error: 'bad_request', message }))
    return
  }
  const { path, target } = question
  const exchange = new Exchange(context, target, { method, path })
  if (!exchange.verdict.allowed) return void client.end(rawAnswer('403 Forbidden', exchange.refuse()))
  const dialled = await context.dialler.dial(target, exchange.policy)
  if ('problem' in dialled) {
    if (dialled.refused) return void client.end(rawAnswer('403 Forbidden', exchange.refuse(dialled.problem)))
    exchange.fail(dialled.problem)
    return void client.end(rawAnswer('502 Bad Gateway', unreachable(target, dialled.problem)))
  }
  const { socket } = dialled
  exchange.follow(socket)
  if (client.destroyed) return void socket.destroy()
  client.once('close', () => socket.destroy())
  const fail = () => client.end(rawAnswer('502 Bad Gateway', unreachable(target, 'it ended the connection')))
  const outgoing = httpRequest({
    createConnection: () => socket,
    headers: [...outgoingHeaders(request, target).slice(0, -2), 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
    method,
    path,
  })
  outgoing.on('error', fail)
  // Not agreed: an answer like any other, and the end of both connections.
  outgoing.on('response', (incoming) => {
    client.write(headOf(incoming, ['Connection', 'close']))
    incoming.pipe(client)
  })
  outgoing.on('upgrade', (incoming, server, first) => {
    client.write(headOf(incoming, ['Connection', 'Upgrade', 'Upgrade', 'websocket']))
    if (first.length > 0) client.write(first)
    if (head.length > 0) server.write(head)
    server.on('error', () => server.destroy())
    server.once('close', () => client.destroySoon())
    server.pipe(client)
    client.pipe(server)
  })
  outgoing.end()
}

function headOf({ rawHeaders, statusCode, statusMessage }: IncomingMessage, own: string[]): string {
  const all = [...handedOn(rawHeaders), ...own]
  const lines = all.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${all[index + 1]}\r\n`] : []))
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`
}
