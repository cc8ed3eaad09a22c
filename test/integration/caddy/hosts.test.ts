// Any Host header, through a real Caddy: an agent answers at its own host, however that is spelled, and at no other.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CaddyWithDoor } from '../../helpers/caddy-with-door.js'
import { fuzzing, oddTexts, patience } from '../../helpers/fuzz.js'

let door: CaddyWithDoor

beforeAll(async () => {
  door = await CaddyWithDoor.start()
  await door.serve((_, response) => response.writeHead(200, { 'X-App': 'yes' }).end())
})
afterAll(() => door.end())

/** What comes next; undefined at the end. */
function next(socket: TLSSocket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const end = () => finish(undefined)
    const finish = (piece: Buffer | undefined) => {
      socket.off('data', finish).off('close', end)
      resolve(piece)
    }
    socket.once('data', finish).once('close', end)
  })
}

/** One connection, on which requests are asked one after the other, and another when Caddy has closed it. */
class Client {
  #socket: TLSSocket | undefined

  /** The head of the answer. */
  async ask(host: Buffer): Promise<string> {
    const socket = this.#socket?.writable ? this.#socket : await this.#connect()
    socket.write(Buffer.concat([Buffer.from('HEAD / HTTP/1.1\r\nHost: '), host, Buffer.from('\r\n\r\n')]))
    let head = ''
    while (!head.includes('\r\n\r\n')) {
      const piece = await next(socket)
      if (piece === undefined) break
      head += piece.toString('latin1')
    }
    if (/^connection: close/im.test(head) || head === '') this.end()
    return head
  }

  end(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  async #connect(): Promise<TLSSocket> {
    const { host, port, servername } = door.target
    const socket = connect({ host, port, rejectUnauthorized: false, servername })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    this.#socket = socket
    return socket
  }
}

const own = 'web.app.localhost'
/** The host and slips of it: letters in capitals, parts left out, doubled, or in another place. */
const near = fc.oneof(
  fc.array(fc.boolean(), { maxLength: own.length, minLength: own.length }).map((capitals) => {
    return [...own].map((letter, index) => (capitals[index] ? letter.toUpperCase() : letter)).join('')
  }),
  fc
    .array(fc.constantFrom('web', 'app', 'localhost', 'x', '', '*', '..', 'hosts', 'WEB'), { maxLength: 5 })
    .map((parts) => parts.join('.')),
  fc
    .tuple(
      fc.nat(own.length),
      fc.nat(2),
      fc.constantFrom('', '.', '/', '%2e', ' ', '\t', ':', '@', '#', '\\', '_', '\u212A'),
    )
    .map(([at, gone, put]) => own.slice(0, at) + put + own.slice(at + gone)),
)
const suffix = fc.constantFrom(
  '',
  '',
  '',
  '.',
  '..',
  ':',
  ':80',
  ':8080',
  '.:443',
  ':99999',
  ':x',
  ':8080:1',
  '/',
  '/../x',
  '?x',
  '#x',
)
const host = fc
  .oneof(
    { arbitrary: fc.tuple(near, suffix).map((parts) => parts.join('')), weight: 5 },
    fc.constantFrom(...oddTexts),
    fc.string({ unit: 'binary' }),
  )
  .map((text) => text.replace(/[\r\n]/g, ''))

/** RFC 9110: in any case, with or without a port, and with the dot that ends a full name. Space around a value is not part of it. */
const isOwn = (text: string) => /^web\.app\.localhost\.?(:\d*)?$/i.test(text.replace(/^[ \t]+|[ \t]+$/g, ''))

it('leads to the agent whose host it means, and never anywhere else', patience, async () => {
  const seen = { agent: 0, others: 0 }
  const client = new Client()
  await fc.assert(
    fc.asyncProperty(host, async (text) => {
      // What is no text any more on the way is no host either.
      const head = await client.ask(Buffer.from(text))
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
      const answered = /^x-app: yes/im.test(head)
      if (answered) seen.agent += 1
      else seen.others += 1
      if (answered !== isOwn(text)) throw new Error(`${JSON.stringify(text)} is answered with ${head}`)
      return answered ? status === 200 : [307, 400, 403, 404, 503].includes(status)
    }),
    fuzzing(4_000),
  )
  client.end()
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(400)
})
