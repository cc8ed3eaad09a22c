// Owns that no agent gets round what the gate has for each: connections, requests that wait for their answers, look-ups, time.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { networkLogFile } from '../../../src/egress/read-log.js'
import { Dialler } from '../../../src/gate/dial.js'
import type { GateOptions } from '../../../src/gate/gate.js'
import type { TestHosts } from '../../../src/gate/test-hosts.js'
import { policy, runId, TestGate } from '../../helpers/gate.js'
import { until } from '../../helpers/until.js'

let host: Server
let gate: TestGate
/** Answers that wait, and how many connections there have been at most. */
const waiting: ServerResponse[] = []
let [open, most] = [0, 0]

beforeAll(async () => {
  host = createServer((request, response) => {
    if (request.url === '/wait') waiting.push(response)
    else response.end(`answer to ${request.url}`)
  })
  host.on('connection', (socket) => {
    open += 1
    most = Math.max(most, open)
    socket.on('close', () => {
      open -= 1
    })
  })
  host.listen(0, '127.0.0.1')
  await once(host, 'listening')
})
afterEach(async () => {
  await gate?.close()
  waiting.length = 0
  await until('the end of all connections', () => open === 0)
  most = 0
})
afterAll(() => host.close())

async function start(options: Partial<GateOptions> = {}): Promise<TestGate> {
  gate = new TestGate({ 'api.test:80': `127.0.0.1:${(host.address() as AddressInfo).port}` }, options)
  await gate.apply(policy(['api.test']))
  return gate
}

const ask = (path: string) => `GET http://api.test${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`

it('requests that are sent before the answers have come are answered in order, if they are few', async () => {
  const socket = (await start()).connect()
  let text = ''
  socket.on('data', (piece) => {
    text += piece
  })
  const paths = Array.from({ length: 10 }, (_, index) => `/${index}`)
  for (let time = 1; time <= 2; time++) {
    socket.write(paths.map(ask).join(''))
    await until('the answers', () => text.match(/answer to/g)?.length === 10 * time)
  }
  expect(text.match(/(?<=answer to \/)\d/g)?.join('')).toBe('01234567890123456789')
})

it('a connection with more of them ends, without as many connections to the host', async () => {
  const socket = (await start()).connect()
  const ended = once(socket, 'close')
  socket.once('end', () => socket.end())
  socket.write(ask('/wait').repeat(500))
  await ended
  expect(most).toBeLessThanOrEqual(16)
})

it('the end of a connection is the end of all that was asked in it', async () => {
  const socket = (await start()).connect()
  socket.write(ask('/wait').repeat(5))
  await until('the requests', () => waiting.length === 5)
  socket.write(ask('/wait').repeat(12))
  await until('the end of their connections', () => open === 0)
})

it('connections to hosts need room, too', async () => {
  await start({ descriptors: 228 })
  const sockets = Array.from({ length: 20 }, () => gate.connect().resume())
  for (const socket of sockets) socket.write(ask('/wait').repeat(10))
  await until('the first in the log', () => existsSync(networkLogFile(gate.paths, runId)))
  const full = async () => (await gate.log(1)).some(({ reason }) => reason === 'too many connections')
  await until('a request for which there is no room', full)
  expect(most).toBeLessThan(100)
})

it('headers within a tunnel are not waited for either', async () => {
  await start({ headerDeadline: 100 })
  const socket = await gate.tunnel('api.test:80')
  const ended = once(socket, 'end')
  socket.resume().write('GET / HTTP/1.1\r\nHost: api.test\r\n')
  await ended
})

it('no more names wait for a slow name server than there are connections', async () => {
  const slow = { reach: () => undefined, resolve: () => new Promise(() => {}) } as unknown as TestHosts
  const dialler = new Dialler(slow, () => true)
  const target = { host: 'slow.test', port: 443 }
  for (let count = 0; count < 1_016; count++) void dialler.find(target, policy())
  expect(await dialler.find(target, policy())).toEqual({ problem: 'too many names are looked up', refused: false })
})
