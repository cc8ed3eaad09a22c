// The way in to a container, once somebody is reached: what flows, and what the relay costs.
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { forwarderProgram } from '../../helpers/forwarder-process.js'
import { freePort } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'
import { WayIn, ways } from '../../helpers/way-in.js'

/** A network in which a socket has no port to come from but the one that is asked. */
const onePortNetwork = `
import fcntl, socket, struct, subprocess, sys
forwarder, directory = sys.argv[1:]
fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x41))
open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('40001 40001')
program = subprocess.Popen([forwarder, '--in', directory, '--serve', '40001', '--', 'cat'], stdin=subprocess.PIPE)
client = socket.socket(socket.AF_UNIX)
while client.connect_ex(directory + '/40001.quick'): pass
client.sendall(b'hello')
try:
    print('answer', client.recv(10))
except ConnectionResetError:
    print('closed')
server = socket.socket()
server.bind(('127.0.0.1', 40001))
print('free')
`

const echo = (socket: Socket) => void socket.pipe(socket)
const [emulator, emulated] = process.arch === 'x64' ? ['qemu-aarch64', 'arm64'] : ['qemu-x86_64', 'amd64']

let wayIn: WayIn | undefined

afterEach(async () => {
  await wayIn?.end()
  wayIn = undefined
})

describe('what flows', () => {
  it('ends one way only, where only that is over', async () => {
    wayIn = await WayIn.start()
    const seen: string[] = []
    await wayIn.listen((socket) => {
      socket.once('data', () => socket.end('from the server'))
      void buffer(socket).then((data) => seen.push(data.toString()))
    })
    const client = await wayIn.connect()
    client.write('from')
    client.on('data', (data) => seen.push(data.toString()))
    await once(client, 'end')
    expect(seen).toEqual(['from the server'])
    client.end(' the client')
    await until('the rest', () => seen[1])
    expect(seen[1]).toBe('from the client')
  })

  it('takes no more memory the more it is', async () => {
    wayIn = await WayIn.start()
    const { relay } = wayIn
    const memory = () => relay.memory()
    const before = memory()
    let most = 0
    await wayIn.listen(echo)
    const client = await wayIn.connect()
    const piece = randomBytes(1_000_000)
    const total = 200
    const sent = createHash('sha256')
    const received = createHash('sha256')
    const write = async () => {
      for (let number = 0; number < total; number += 1) {
        sent.update(piece)
        if (!client.write(piece)) await once(client, 'drain')
        most = Math.max(most, memory())
      }
      client.end()
    }
    const read = async () => {
      for await (const data of client) received.update(data)
    }
    await Promise.all([write(), read()])
    expect(received.digest('hex')).toBe(sent.digest('hex'))
    expect(most - before).toBeLessThan(300)
  })

  it('waits where it is for a server that does not read', async () => {
    wayIn = await WayIn.start()
    const before = wayIn.relay.memory()
    let server: Socket | undefined
    await wayIn.listen((socket) => {
      server = socket.pause()
    })
    const client = await wayIn.connect()
    client.write(randomBytes(50_000_000))
    await until('the connection', () => server)
    const { relay } = wayIn
    const seen: number[] = []
    await until('it to stop', () => seen.push(relay.waits()) > 1 && seen.at(-1) === seen.at(-2))
    expect(relay.memory() - before).toBeLessThan(300)
    // And all of it comes when it reads.
    let size = 0
    server?.on('data', (data) => (size += data.length)).resume()
    await until('all of it', () => size === 50_000_000)
  })

  it('waits for a client that does not read much, and leaves nothing behind', async () => {
    wayIn = await WayIn.start()
    const { relay } = wayIn
    const [memory, idle] = [relay.memory(), relay.descriptors()]
    const much = randomBytes(50_000_000)
    const servers: Socket[] = []
    await wayIn.listen((socket) => {
      servers.push(socket)
      socket.end(much)
    })
    const client = (await wayIn.connect()).pause()
    const waits: number[] = []
    await until('it to stop', () => {
      const isBehind = (servers[0]?.writableLength ?? 0) > 0
      return waits.push(relay.waits()) > 1 && isBehind && waits.at(-1) === waits.at(-2)
    })
    expect(relay.memory() - memory).toBeLessThan(300)
    const received = createHash('sha256')
    for await (const data of client) received.update(data)
    expect(received.digest('hex')).toBe(createHash('sha256').update(much).digest('hex'))
    client.destroy()
    await until('nothing to be left open', () => relay.descriptors() === idle)
  })

  it('is for nobody else to suffer from, where a client leaves before he has all', async () => {
    wayIn = await WayIn.start()
    const { relay } = wayIn
    const [first, more] = [1_000_000, 200_000]
    const servers: Socket[] = []
    await wayIn.listen((socket) => {
      socket.on('error', () => {})
      servers.push(socket)
      socket.write(Buffer.alloc(first))
    })
    const served = wayIn
    const clients = await Promise.all(Array.from({ length: 16 }, () => served.connect()))
    for (const client of clients) client.resume()
    await until('what comes first', () => clients.every(({ bytesRead }) => bytesRead === first))
    // It finds, at once, that there is more and that nobody takes it.
    relay.stop()
    for (const server of servers) server.write(Buffer.alloc(more))
    for (const client of clients) client.destroy()
    relay.goOn()
    const after = await wayIn.connect()
    after.resume()
    await until('another to have all of it', () => after.bytesRead === first)
  })

  it('is that of a thousand at once', async () => {
    wayIn = await WayIn.start()
    const served = wayIn
    const before = served.relay.memory()
    const idle = served.relay.descriptors()
    await served.listen(echo)
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => served.connect()))
    const answers = clients.map(async (client, index) => {
      client.write(`${index} `)
      return String((await once(client, 'data'))[0])
    })
    expect(await Promise.all(answers)).toEqual(clients.map((_, index) => `${index} `))
    expect(served.relay.descriptors()).toBe(idle + 2_000)
    expect(served.relay.memory() - before).toBeLessThan(800)
    for (const client of clients) client.destroy()
    await until('all descriptors to be closed', () => served.relay.descriptors() === idle)
  })

  it('is that of those for whom there are descriptors; others wait', async () => {
    wayIn = await WayIn.start([], { runner: ['sh', '-c', 'ulimit -n 128; exec "$@"', 'sh', forwarderProgram] })
    const served = wayIn
    await served.listen(echo)
    const clients = await Promise.all(Array.from({ length: 200 }, () => served.connect()))
    const answers = clients.map(async (client, index) => {
      client.end(`${index}`)
      return (await buffer(client)).toString()
    })
    expect(await Promise.all(answers)).toEqual(clients.map((_, index) => `${index}`))
    // All that may be open, and none moves.
    const stuck = await Promise.all(Array.from({ length: 200 }, () => served.connect()))
    await until('as many as there may be', () => served.relay.descriptors() > 90)
    await until('half a second in which it rests', async () => {
      const waits = served.relay.waits()
      await delay(500)
      return served.relay.waits() - waits < 5
    })
    for (const client of stuck) client.destroy()
    expect(await served.ask('room again')).toBe('room again')
  })
})

describe('the relay', () => {
  it('does nothing while nothing happens', async () => {
    wayIn = await WayIn.start()
    await wayIn.listen(echo)
    const client = await wayIn.connect()
    client.write('x')
    await once(client, 'data')
    const { relay } = wayIn
    // It may not have begun to wait again after the answer; a clock that ticks has it wait forty times in every second.
    await until('a second in which it rests', async () => {
      const waits = relay.waits()
      await delay(1_000)
      return relay.waits() === waits
    })
  })

  it('takes the place of what was there, and shares it with nobody', async () => {
    const notes = { path: '' }
    wayIn = await WayIn.start([], {
      prepare: (base) => {
        notes.path = join(dirname(base), 'notes')
        writeFileSync(notes.path, 'kept')
        writeFileSync(base, 'stale')
        symlinkSync(notes.path, `${base}.quick`)
      },
    })
    await wayIn.listen(echo)
    for (const way of ways) {
      expect(await wayIn.ask(way, way)).toBe(way)
      expect(lstatSync(wayIn.path(way)).isSocket()).toBe(true)
      expect(lstatSync(wayIn.path(way)).mode & 0o777).toBe(0o600)
    }
    expect(readFileSync(notes.path, 'utf8')).toBe('kept')
  })

  it('never takes itself for the server', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-in-'))
    try {
      const call = ['-rn', 'python3', '-c', onePortNetwork, forwarderProgram, directory]
      const { stderr, stdout } = spawnSync('unshare', call, { encoding: 'utf8' })
      // And leaves nothing behind where the server is to listen.
      expect({ stderr, stdout }).toEqual({ stderr: '', stdout: 'closed\nfree\n' })
    } finally {
      spawnSync('pkill', ['-KILL', '-f', directory])
      rmSync(directory, { recursive: true })
    }
  })

  it.each([
    ['by asking the kernel', [forwarderProgram]],
    // It passes no such question on, as some runtimes of containers do not.
    ['by reading its lists, in an emulator', [emulator, resolve(`forwarder/linux-${emulated}`)]],
  ])('finds what listens without having been declared, until it does not: %s', async (_, runner) => {
    const prepare = (base: string) => writeFileSync(join(dirname(base), '1.quick'), '')
    wayIn = await WayIn.start(['--discover'], { prepare, runner })
    const found = wayIn
    const port = await freePort()
    // Left from before the container was started again.
    await until('what is stale to be removed', () => !existsSync(found.path('.quick', 1)))
    const declared = await found.listen(echo)
    const server = await found.listen(echo, '::1', port)
    // A socket has its name from when it listens on: else the first connection would now and then be refused.
    await until('its sockets', () => ways.every((way) => existsSync(found.path(way, port))))
    const client = await found.connect('.probe', port)
    client.end('found')
    expect((await buffer(client)).toString()).toBe('found')
    expect(existsSync(join(found.directory, '~'))).toBe(false)
    await found.servers.close(declared)
    await found.servers.close(server)
    await until('their end', () => ways.every((way) => !existsSync(found.path(way, port))))
    expect(ways.every((way) => existsSync(found.path(way)))).toBe(true)
    expect(await found.patience('.probe')).toBeLessThan(3_000)
  })
})
