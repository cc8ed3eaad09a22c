// A port at which connections wait that nobody takes is noticed; one that is refused, or that ends them, is not.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { watchFront } from '../../../src/upkeep/watch-front.js'
import { until } from '../../helpers/until.js'

const servers: Server[] = []
const sockets: Socket[] = []
let end: (() => void) | undefined
afterEach(() => {
  end?.()
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
})

/** Where every connection is given to this. */
async function serve(take: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    take(socket)
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

it('is told of connections that are neither refused nor ended', async () => {
  const port = await serve(() => {})
  let deaf = 0
  end = watchFront({ onDeaf: () => (deaf += 1), ports: () => [port] }, { deadline: 20, interval: 1 })
  // For as long as it goes on.
  await until('being told twice', () => deaf >= 2)
})

it('is not told of those that are ended or refused, nor of any after its end', async () => {
  let ended = 0
  const said: string[] = []
  const port = await serve((socket) =>
    socket.once('data', (data) => {
      said.push(data.toString('hex'))
      ended += 1
      socket.destroy()
    }),
  )
  let deaf = 0
  // The port of ::1 refuses.
  end = watchFront({ onDeaf: () => (deaf += 1), ports: () => [port] }, { deadline: 20_000, interval: 1 })
  await until('three looks', () => ended >= 3)
  expect([deaf, new Set(said)]).toEqual([0, new Set(['0101010101010101'])])
  end()
  expect(deaf).toBe(0)
})
