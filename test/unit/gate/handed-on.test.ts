// Owns how a tunnel that is to be opened comes to the proxy: connected before the client speaks, and to nothing that has ended meanwhile.
import { mkdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { interceptSocket } from '../../../src/config/paths.js'
import { proxyHeader } from '../../../src/gate/proxy-header.js'
import { policy, runId, TestGate } from '../../helpers/gate.js'
import { until } from '../../helpers/until.js'

interface Made {
  hasEnded: boolean
  said: Buffer
  socket: Socket
}

let gate: TestGate
let proxy: Server
let made: Made[]
const clients = new Set<{ destroy(): void }>()

const paths = [{ effect: 'allow' as const, method: '*', path: '/**' }]
const header = proxyHeader(runId, 443, '127.0.0.1', 9)
const listen = () => new Promise<void>((resolve) => proxy.listen(interceptSocket(gate.paths, runId), resolve))
/** The last connection that has said something. */
const spoken = () => until('a connection that says something', () => made.findLast(({ said }) => said.length > 0))
const isHello = (said: Buffer) => said.subarray(0, header.length).equals(header) && said[header.length] === 0x16

function speak(socket: Socket): void {
  const tls = connectTls({ rejectUnauthorized: false, servername: 'api.test', socket })
  clients.add(tls.on('error', () => {}))
}

beforeEach(async () => {
  gate = new TestGate({ 'api.test:443': '127.0.0.1:9' })
  made = []
  proxy = createServer({ allowHalfOpen: true }, (socket) => {
    const one: Made = { hasEnded: false, said: Buffer.alloc(0), socket }
    made.push(one)
    socket.on('data', (piece) => {
      one.said = Buffer.concat([one.said, piece])
    })
    socket.on('error', () => {}).once('close', () => (one.hasEnded = true))
    socket.once('end', () => socket.end())
  })
  mkdirSync(dirname(interceptSocket(gate.paths, runId)), { recursive: true })
  await gate.apply(policy([{ host: 'api.test', paths, port: 443 }]))
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  clients.clear()
  for (const { socket } of made) socket.destroy()
  proxy.close()
  await gate.close()
})

it('there is a connection before the client speaks; it then says whose it is and what the client says', async () => {
  await listen()
  const client = await gate.tunnel('api.test:443')
  await until('a connection', () => made.length === 1)
  expect(made[0]?.said.length).toBe(0)
  speak(client)
  await until('a hello', () => made.some(({ said }) => isHello(said)))
  expect(made).toHaveLength(1)
})

it('one that the proxy has ended meanwhile is not used', async () => {
  await listen()
  const client = await gate.tunnel('api.test:443')
  await until('a connection', () => made.length === 1)
  made[0]?.socket.end()
  await until('its end', () => made[0]?.hasEnded)
  speak(client)
  expect(isHello((await spoken()).said)).toBe(true)
  expect(made).toHaveLength(2)
})

it('a proxy that is not there yet is waited for', async () => {
  const client = await gate.tunnel('api.test:443')
  speak(client)
  await listen()
  expect(isHello((await spoken()).said)).toBe(true)
})

it('nothing is left of it where the client speaks no TLS, or names another host', async () => {
  await listen()
  const plain = await gate.tunnel('api.test:443')
  plain.write('SSH-2.0-x\r\n')
  const other = await gate.tunnel('api.test:443')
  clients.add(connectTls({ servername: 'other.test', socket: other }).on('error', () => {}))
  const gone = await gate.tunnel('api.test:443')
  gone.destroy()
  await until('three connections that have ended', () => made.length === 3 && made.every(({ hasEnded }) => hasEnded))
  expect(made.map(({ said }) => said.length)).toEqual([0, 0, 0])
})

it('what was handed on ends with the grant for its host, and with no other', async () => {
  await listen()
  const rules = policy([{ host: 'api.test', paths, port: 443 }])
  const of = (api: string, other: string) =>
    Object.entries({ 'api.test': api, 'other.test': other }).map(([host, mark]) => ({
      effect: 'allow' as const,
      host,
      mark,
      port: 443,
    }))
  await gate.apply(rules, of('one', 'one'))
  const client = await gate.tunnel('api.test:443')
  speak(client)
  const one = await spoken()
  await gate.apply(rules, of('one', 'two'))
  expect(one.hasEnded).toBe(false)
  const closed = new Promise((resolve) => client.once('close', resolve))
  await gate.apply(rules, of('two', 'two'))
  await closed
  await until('its end', () => one.hasEnded)
})
