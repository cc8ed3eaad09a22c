// What becomes of requests that are more than a GET, through Caddy and the forwarder's sockets: bodies that the app does not want,
// and apps that are not there yet, or not there just now.
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CaddyWithDoor } from '../../helpers/caddy-with-door.js'

let door: CaddyWithDoor

beforeAll(async () => {
  door = await CaddyWithDoor.start()
})
afterEach(() => door.endServers())
afterAll(() => door.end())

interface Sent {
  body?: Buffer | string
  headers?: Record<string, string>
  method: string
  onSent?: () => void
}

/** The status and the text of the answer, or the code of what went wrong. */
function send({ body, headers, method, onSent = () => {} }: Sent): Promise<string> {
  return new Promise((resolve) => {
    const { target } = door
    // Not every method has Node say by itself how long a body is.
    const length = body === undefined ? {} : { 'Content-Length': `${body.length}` }
    const all = { ...target.headers, ...length, ...headers }
    const outgoing = request({ ...target, headers: all, method }, (response) => {
      text(response).then(
        (answer) => resolve(`${response.statusCode} ${answer}`),
        (error: NodeJS.ErrnoException) => resolve(`${response.statusCode}, then ${error.code}`),
      )
    })
    let answered = false
    outgoing.on('finish', onSent)
    outgoing.on('response', () => {
      answered = true
    })
    // Once the answer is there, nobody minds that the rest of the body is not taken.
    outgoing.on('error', (error: NodeJS.ErrnoException) => answered || resolve(String(error.code)))
    if (headers?.Expect) {
      outgoing.flushHeaders()
      // The proxy may say so, and hand on that the app has.
      outgoing.once('continue', () => outgoing.end(body))
    } else outgoing.end(body)
  })
}

const all = (count: number, sent: Sent) => Promise.all(Array.from({ length: count }, () => send(sent)))
const expected = { Expect: '100-continue' }

describe('a body that the app does not want', () => {
  it('is not sent to it where the client asks before: the refusal arrives, each time', async () => {
    let arrived = 0
    await door.serve(() => {}, {
      checkContinue: (incoming, response) => {
        incoming.on('data', (piece: Buffer) => {
          arrived += piece.length
        })
        response.writeHead(417).end('no')
      },
    })
    // One after the other: an app that takes longer than a second to say no is sent the body.
    for (let round = 0; round < 12; round += 1)
      expect(await send({ body: Buffer.alloc(100_000), headers: expected, method: 'POST' })).toBe('417 no')
    expect(arrived).toBe(0)
  })

  it('is sent whole once the app has asked for it', async () => {
    await door.serve(() => {}, {
      checkContinue: async (incoming, response) => {
        response.writeContinue()
        let size = 0
        for await (const piece of incoming) size += (piece as Buffer).length
        response.end(`${size}`)
      },
    })
    expect(await all(5, { body: Buffer.alloc(3_000_000), headers: expected, method: 'PUT' })).toEqual(
      Array(5).fill('200 3000000'),
    )
  })

  it.each([
    ['reads no more of it', false],
    ['closes the connection', true],
  ])('is no failure of the app, which answers at once and %s', async (_, closes) => {
    await door.serve((incoming, response) => {
      response.writeHead(401, closes ? { Connection: 'close' } : {}).end('who are you?')
      if (!closes) incoming.resume()
    })
    const body = Buffer.alloc(10_000_000)
    // Whoever goes on sending after the answer may be cut off meanwhile, by any server; the answer is the app's all the same.
    for (let round = 0; round < 3; round += 1)
      for (const answer of await all(4, { body, method: 'POST' })) expect(answer).toMatch(/^401/)
  })
})

describe('a request of any method', () => {
  const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY']
  const withBody = (method: string) => !['GET', 'HEAD', 'OPTIONS'].includes(method)

  it('is held while the app starts, and while it starts again, and arrives once and whole', async () => {
    const seen: string[] = []
    const serve = () =>
      door.serve(async (incoming, response) => {
        const body = await text(incoming)
        seen.push(`${incoming.method} ${body}`)
        // A connection that Caddy keeps would be used once more in the moment in which the app ends, and that fails everywhere.
        response.writeHead(200, { Connection: 'close' }).end(body)
      })
    const round = async () => {
      const underWay = methods.map(() => Promise.withResolvers<void>())
      const sent = methods.map((method, index) => {
        const onSent = () => underWay[index]?.resolve()
        return send({ ...(withBody(method) && { body: `body of ${method}` }), method, onSent })
      })
      await Promise.all(underWay.map(({ promise }) => promise))
      await serve()
      const answers = await Promise.all(sent)
      expect(answers).toEqual(methods.map((method) => `200 ${withBody(method) ? `body of ${method}` : ''}`))
      expect(seen.splice(0).toSorted()).toEqual(
        methods.map((method) => `${method} ${withBody(method) ? `body of ${method}` : ''}`),
      )
    }
    await round()
    await door.endServers()
    await round()
  })
})
