import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { busyLoop } from '../../helpers/busy-loop.js'
import { freePort } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'
import { WayIn, ways } from '../../helpers/way-in.js'

const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex')
const echo = (socket: Socket) => void socket.pipe(socket)

let wayIn: WayIn | undefined

afterEach(async () => {
  await wayIn?.end()
  wayIn = undefined
})

/** Of this machine, by which others reach it. */
const ownAddress = () => {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return found.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}

describe('a server is reached', () => {
  it.each(['127.0.0.1', '::1', '0.0.0.0', '::', ownAddress()])('that listens on %s', async (host) => {
    wayIn = await WayIn.start()
    await wayIn.listen(echo, host)
    expect(await Promise.all(ways.map((way) => wayIn?.ask(`by ${way}`, way)))).toEqual(ways.map((way) => `by ${way}`))
  })

  it('on the address that comes first, where two listen', async () => {
    wayIn = await WayIn.start()
    const other = await wayIn.listen((socket) => socket.end('::1'), '::1')
    expect(await wayIn.ask('')).toBe('::1')
    const first = await wayIn.listen((socket) => socket.end('127.0.0.1'))
    expect(await wayIn.ask('')).toBe('127.0.0.1')
    await wayIn.servers.close(first)
    expect(await wayIn.ask('')).toBe('::1')
    await wayIn.servers.close(other)
  })

  it('again after it has died', async () => {
    wayIn = await WayIn.start()
    const first = await wayIn.listen(echo)
    expect(await wayIn.ask('first')).toBe('first')
    await wayIn.servers.close(first)
    const answer = wayIn.ask('second')
    await wayIn.listen(echo, '::1')
    expect(await answer).toBe('second')
    expect(await wayIn.ask('third', '.probe')).toBe('third')
  })

  it('by a port that is published', async () => {
    const [port, behind] = [await freePort(), await freePort()]
    wayIn = await WayIn.start(['--publish', `${port}=${behind}`])
    await wayIn.listen(echo, '127.0.0.1', behind)
    for (const host of ['127.0.0.1', '::1', ownAddress()]) {
      const client = connect({ allowHalfOpen: true, host, port })
      client.end(`by ${host}`)
      expect((await buffer(client)).toString()).toBe(`by ${host}`)
    }
  })
})

describe('while no server listens', () => {
  it('what a client sends is held, and arrives once', async () => {
    wayIn = await WayIn.start()
    const idle = wayIn.relay.descriptors()
    const body = randomBytes(3_000_000)
    const client = await wayIn.connect()
    client.end(body)
    await until('it to be held', () => wayIn?.relay.descriptors() === idle + 1)
    const arrived: Buffer[] = []
    await wayIn.listen((socket) => void buffer(socket).then((data) => arrived.push(data) && socket.end('thanks')))
    expect((await buffer(client)).toString()).toBe('thanks')
    expect(arrived.map(sum)).toEqual([sum(body)])
  })

  it('each way has its patience', async () => {
    wayIn = await WayIn.start()
    const [patient = 0, quick = 0, probe = 0] = await Promise.all(ways.map((way) => wayIn?.patience(way) ?? 0))
    expect(patient).toBeGreaterThan(4_900)
    expect(patient).toBeLessThan(40_000)
    expect(quick).toBeGreaterThan(650)
    expect(quick).toBeLessThan(patient)
    expect(probe).toBeLessThan(quick)
  })

  it('a client that leaves is dropped, and the server never sees it', async () => {
    wayIn = await WayIn.start()
    const idle = wayIn.relay.descriptors()
    const client = await wayIn.connect()
    client.write('never mind')
    await until('it to be held', () => wayIn?.relay.descriptors() === idle + 1)
    client.destroy()
    await until('it to be dropped', () => wayIn?.relay.descriptors() === idle)
    let connections = 0
    await wayIn.listen((socket) => {
      connections += 1
      echo(socket)
    })
    expect(await wayIn.ask('still there')).toBe('still there')
    expect(connections).toBe(1)
  })

  it('a thousand cost no more than one, and are all served when it does', async () => {
    wayIn = await WayIn.start()
    const held = wayIn
    const before = held.relay.memory()
    const idle = held.relay.descriptors()
    const thousand = async () => {
      const clients = await Promise.all(Array.from({ length: 1_000 }, () => held.connect()))
      await until('all of them to be held', () => held.relay.descriptors() === idle + 1_000)
      return clients
    }
    let first = await thousand()
    expect(held.relay.memory() - before).toBeLessThan(800)
    const areHeld = () => held.relay.descriptors() === idle + 1_000
    await until('a second that costs little', async () => {
      if (!areHeld()) {
        await until('the end of those', () => held.relay.descriptors() === idle)
        first = await thousand()
      }
      const cpu = held.relay.cpu()
      await delay(1_000)
      // A connection for each of them, 40 times, takes five times as much.
      return areHeld() && held.relay.cpu() - cpu <= busyLoop() / 4
    })
    for (const client of first) client.destroy()
    await until('their end', () => held.relay.descriptors() === idle)
    // Others, for who waited for a quiet second has used up the patience of the first.
    const clients = await thousand()
    await held.listen(echo)
    const answers = clients.map(async (client, index) => {
      client.end(`${index}`)
      return (await buffer(client)).toString()
    })
    expect(await Promise.all(answers)).toEqual(clients.map((_, index) => `${index}`))
    await until('all descriptors to be closed', () => held.relay.descriptors() === idle)
  })
})
