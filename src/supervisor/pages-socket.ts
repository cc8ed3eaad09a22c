// Owns the socket at which Caddy gets the proxy's own pages: HTTP on a unix socket that only this user can open.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { messageOf } from '../errors.js'
import { listenPrivately } from '../upkeep/listen-privately.js'

/** Answers shorter than this are not worth packing. Bytes. */
const worthPacking = 1_400

export interface PagesSocket {
  close(): Promise<void>
}

export type AnswerPage = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** The caller holds the supervisor lock, so a file in its place is a dead supervisor's. */
export async function openPagesSocket(
  path: string,
  answer: AnswerPage,
  log: (message: string) => void,
): Promise<PagesSocket> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      log(`no answer to ${request.method} ${request.url}: ${messageOf(error)}`)
      if (response.headersSent) response.destroy()
      else {
        const problem = { detail: messageOf(error), error: 'failed', hint: 'moat proxy status' }
        sendJson(request, response, 500, problem, { 'X-Moat-Error': problem.error })
      }
    })
  })
  const listener = await listenPrivately(server, path)
  return {
    close: async () => {
      listener.release()
      server.close()
      server.closeAllConnections()
    },
  }
}

export interface SendOptions {
  headers: Record<string, string>
  status: number
  type: string
}

export function send(request: IncomingMessage, response: ServerResponse, text: string, options: SendOptions): void {
  const body = Buffer.from(text)
  const pack = body.length > worthPacking && /\bgzip\b/.test(String(request.headers['accept-encoding']))
  const packed = pack ? gzipSync(body) : body
  response
    .writeHead(options.status, {
      'Content-Length': packed.length,
      'Content-Type': options.type,
      Vary: 'Accept, Accept-Encoding',
      ...(pack && { 'Content-Encoding': 'gzip' }),
      ...options.headers,
    })
    .end(packed)
}

export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const own = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...headers }
  send(request, response, `${JSON.stringify(body)}\n`, { headers: own, status, type: 'application/json' })
}
