// A WebSocket's handshake as a browser makes it over HTTP/1.1.
import { once } from 'node:events'
import { type RequestOptions, request } from 'node:https'
import type { Duplex } from 'node:stream'

/** Resolves with the upgraded connection. */
export async function openWebSocket({ headers, ...options }: RequestOptions): Promise<Duplex> {
  const handshake = {
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    Upgrade: 'websocket',
  }
  const outgoing = request({ ...options, agent: false, headers: { ...headers, ...handshake } }).end()
  const [, socket] = (await once(outgoing, 'upgrade')) as [unknown, Duplex]
  return socket
}
