// Owns that what hosts say arrives as they said it: the memory it is read into is used again, and must not be while it is still on
// its way; and that no agent keeps more of that memory than its part.
import { createHash, type Hash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { afterEach, expect, it, vi } from 'vitest'
import { BufferShare, Carrier, LargeBuffers } from '../../../src/gate/carrier.js'
import { policy, TestGate } from '../../helpers/gate.js'
import { until } from '../../helpers/until.js'

const bytes = 6_000_000
const servers: Server[] = []
const sockets: Socket[] = []
let gate: TestGate | undefined

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
  await gate?.close()
  gate = undefined
})

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}))
    serve(socket)
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Never the same for two seeds, nor at two places of one. */
function saying(seed: number): Buffer {
  const text = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += 4) text.writeUInt32LE((at ^ (seed * 0x9e3779b1)) >>> 0, at)
  return text
}

const digest = (hash: Hash) => hash.digest('hex')

/** Takes much, then nothing until others have had their turn. */
async function takeSlowly(socket: Socket): Promise<string> {
  const hash = createHash('sha256')
  let taken = 0
  socket.on('data', (piece: Buffer) => {
    hash.update(piece)
    taken += piece.length
    if (taken < 300_000) return
    taken = 0
    socket.pause()
    setTimeout(() => socket.resume(), 5)
  })
  await once(socket.resume(), 'end')
  socket.end()
  return digest(hash)
}

it('what hosts say in many tunnels at once arrives as it was said, however slowly it is taken', async () => {
  const port = await listen((socket) => socket.once('data', ([, seed = 0]) => socket.end(saying(seed))))
  gate = new TestGate({ 'api.test:22': `127.0.0.1:${port}` })
  await gate.apply(policy([{ host: 'api.test', port: 22 }]))
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  const tunnels = await Promise.all(seeds.map(() => gate?.tunnel('api.test:22') as Promise<Socket>))
  const heard = tunnels.map((tunnel, index) => {
    // No request begins like that.
    tunnel.write(Buffer.from([0, seeds[index] ?? 0]))
    return takeSlowly(tunnel)
  })
  expect(await Promise.all(heard)).toEqual(seeds.map((seed) => digest(createHash('sha256').update(saying(seed)))))
  const log = await gate.log(seeds.length)
  expect(log.map(({ bytesIn }) => bytesIn)).toEqual(seeds.map(() => bytes))
})

it('an agent keeps no more large buffers than its part, and all agents no more than there are', () => {
  const all = new LargeBuffers()
  const shares = Array.from({ length: 5 }, () => new BufferShare(all))
  const taken = shares.map((share) => Array.from({ length: 9 }, () => share.take()).filter((one) => one !== undefined))
  expect(taken.map(({ length }) => length)).toEqual([8, 8, 8, 8, 0])
  const [first] = taken[0] ?? []
  if (first) shares[0]?.give(first)
  expect(shares[4]?.take()).toBe(first)
  expect(shares[0]?.take()).toBeUndefined()
})

/** Two ends that do as they are told, and a carrier between them that has been given a large buffer. */
function carrying() {
  const share = new BufferShare(new LargeBuffers())
  const [taken, server] = [[] as (() => void)[], new EventEmitter()]
  const ready = { atOnce: false }
  const client = new Writable({ write: (_chunk, _encoding, done) => (ready.atOnce ? done() : void taken.push(done)) })
  const [resume, destroy] = [vi.fn(), vi.fn()]
  const carrier = new Carrier(share)
  carrier.carry(Object.assign(server, { destroy, resume }) as unknown as Socket, client as unknown as Socket)
  const { buffer, callback } = carrier.onread
  const next = () => (buffer as () => Uint8Array)()
  const hear = (size: number) => callback(size, next())
  hear(65_536)
  expect(next()).toHaveLength(524_288)
  const free = () => {
    const all = Array.from({ length: 8 }, () => share.take()).filter((one) => one !== undefined)
    for (const one of all) share.give(one)
    return all.length
  }
  return { destroy, free, hear, next, ready, resume, server, take: () => taken.shift()?.() }
}

it('nothing is read while what was read is on its way', async () => {
  const { destroy, hear, resume, take } = carrying()
  resume.mockClear()
  take()
  await until('going on', () => resume.mock.calls.length === 1)
  expect(hear(200_000)).toBe(false)
  expect(resume).toHaveBeenCalledTimes(1)
  // What does not happen: it would be another's.
  expect(hear(1)).toBe(false)
  expect(destroy).toHaveBeenCalled()
})

it('a large buffer is given back with the last of it', async () => {
  const { free, hear, resume, server, take } = carrying()
  resume.mockClear()
  take()
  await until('going on', () => resume.mock.calls.length === 1)
  hear(200_000)
  server.emit('close')
  expect(free()).toBe(7)
  take()
  await until('all of them', () => free() === 8)
  expect(resume).toHaveBeenCalledTimes(1)
})

it('a large buffer is kept while it is read into, and given back where little is said', async () => {
  const { free, hear, next, ready, resume, take } = carrying()
  const goOn = async () => {
    resume.mockClear()
    take()
    await until('going on', () => resume.mock.calls.length === 1)
  }
  await goOn()
  hear(1_000)
  await goOn()
  // Node has been told already.
  expect([next().length, free()]).toEqual([524_288, 7])
  ready.atOnce = true
  expect(hear(1_000)).toBe(true)
  expect([next().length, free()]).toEqual([65_536, 8])
})
