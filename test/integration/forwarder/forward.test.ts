// The forwarder itself: what flows through it, and what it does without a proxy.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { busyLoop } from '../../helpers/busy-loop.js'
import { Forwarder } from '../../helpers/forwarder.js'
import { forwarderProgram } from '../../helpers/forwarder-process.js'
import { freePort, Servers } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'

const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex')

let forwarder: Forwarder | undefined

afterEach(async () => {
  await forwarder?.end()
  forwarder = undefined
})

/** A proxy with a backlog of one: Node's own accepts whenever it can. */
const slowProxy = `
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
print('listening', flush=True)
sys.stdin.read()
while True:
    connection = listener.accept()[0]
    connection.sendall(b'at last')
    connection.close()
`

describe('a connection', () => {
  it('carries every byte both ways, also to a reader that is slow', async () => {
    forwarder = await Forwarder.start()
    // Sends back all it got, once it got it, a piece at a time.
    await forwarder.listen((socket) => {
      const all: Buffer[] = []
      // Not read by a loop, at whose end Node 22 closes the other way too.
      socket.on('data', (piece) => all.push(piece)).once('end', () => socket.end(Buffer.concat(all)))
    })
    const question = randomBytes(8_000_000)
    const client = await forwarder.connect()
    client.end(question)
    const answer: Buffer[] = []
    for await (const piece of client) {
      answer.push(piece)
      // Now and then nobody reads: the bytes wait where they are.
      if (answer.length % 32 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sum(Buffer.concat(answer))).toBe(sum(question))
  })

  it('stays open one way when the other has ended', async () => {
    forwarder = await Forwarder.start()
    await forwarder.listen((socket) => {
      socket.write('first')
      socket.end()
      void buffer(socket).then((rest) => seen.push(rest.toString()))
    })
    const seen: string[] = []
    const client = await forwarder.connect()
    // Not read by a loop, which would close it at the end.
    client.on('data', (data) => seen.push(data.toString()))
    await once(client, 'end')
    expect(seen).toEqual(['first'])
    client.end('and still heard')
    await until('the rest', () => seen[1] === 'and still heard')
  })

  it('ends on both sides when one of them breaks', async () => {
    forwarder = await Forwarder.start()
    let closed = 0
    const atProxy: Socket[] = []
    await forwarder.listen((socket) => {
      atProxy.push(socket)
      socket.on('end', () => socket.end()).on('close', () => (closed += 1))
      socket.resume()
    })
    const idle = forwarder.relay.descriptors()
    const first = await forwarder.connect()
    first.write('hello')
    await until('the connection', () => atProxy.length === 1)
    first.resetAndDestroy()
    await until('its end at the proxy', () => closed === 1)
    const second = await forwarder.connect()
    const ended = once(second.resume(), 'close')
    await until('another', () => atProxy.length === 2)
    atProxy[1]?.destroy()
    second.end()
    await ended
    await until('all of it to be let go', () => forwarder?.relay.descriptors() === idle)
  })

  it('brings an answer that came before the question was over', async () => {
    forwarder = await Forwarder.start()
    const answer = randomBytes(100_000)
    let proxySide: Socket | undefined
    await forwarder.listen((socket) => {
      proxySide = socket.once('data', () => socket.pause())
    })
    const idle = forwarder.relay.descriptors()
    const client = await forwarder.connect()
    client.pause().end(randomBytes(20_000_000))
    await until('the question', () => proxySide?.isPaused())
    // As a server that refuses an upload: it answers, and closes with the rest unread. The forwarder sees it all at once.
    forwarder.relay.stop()
    await new Promise<void>((resolve) => proxySide?.end(answer, resolve))
    proxySide?.destroy()
    forwarder.relay.goOn()
    await until('the proxy to be let go', () => (forwarder?.relay.descriptors() ?? 0) <= idle + 1)
    expect(sum(await buffer(client))).toBe(sum(answer))
  })

  it('is let go when the proxy has left and its client does not notice', async () => {
    forwarder = await Forwarder.start()
    let proxySide: Socket | undefined
    await forwarder.listen((socket) => {
      proxySide = socket
    })
    const idle = forwarder.relay.descriptors()
    const client = await forwarder.connect()
    await until('the connection', () => proxySide)
    proxySide?.destroy()
    await until('all of it to be let go', () => forwarder?.relay.descriptors() === idle)
    client.destroy()
  })

  it('waits for a proxy that has too many, and does not go elsewhere', async () => {
    forwarder = await Forwarder.start(['--host', '127.0.0.2'])
    const { port, socket } = forwarder
    let elsewhere = 0
    await forwarder.listen(() => (elsewhere += 1), { host: '127.0.0.2', port })
    // Accepts nobody until it is told to, so that the kernel takes two and refuses the rest.
    const proxy = spawn('python3', ['-c', slowProxy, socket], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      await once(proxy.stdout, 'data')
      const clients = await Promise.all(Array.from({ length: 6 }, () => (forwarder as Forwarder).connect()))
      const answers = clients.map((client) => buffer(client))
      proxy.stdin.end()
      expect((await Promise.all(answers)).map(String)).toEqual(clients.map(() => 'at last'))
      expect(elsewhere).toBe(0)
    } finally {
      proxy.kill()
    }
  })

  it('is one of five hundred', async () => {
    forwarder = await Forwarder.start()
    await forwarder.listen((socket) => socket.pipe(socket))
    const idle = forwarder.relay.descriptors()
    const clients = await Promise.all(Array.from({ length: 500 }, () => (forwarder as Forwarder).connect()))
    const answers = clients.map(async (client, index) => {
      client.end(`I am ${index}`)
      return (await buffer(client)).toString()
    })
    expect(await Promise.all(answers)).toEqual(clients.map((_, index) => `I am ${index}`))
    await until('all descriptors to be closed', () => forwarder?.relay.descriptors() === idle)
  })

  it('costs no time while nothing flows, whoever has stopped talking or reading', async () => {
    forwarder = await Forwarder.start()
    const atProxy: Socket[] = []
    await forwarder.listen((socket) => {
      socket.pause()
      atProxy.push(socket)
    })
    const silent = await forwarder.connect()
    const finished = await forwarder.connect()
    finished.end()
    const unread = await forwarder.connect()
    unread.write(randomBytes(4_000_000))
    await until('three of them', () => atProxy.length === 3)
    atProxy[0]?.end()
    // One more goes there and back: all that was to be done for the others has been.
    const probe = await forwarder.connect()
    probe.write('x')
    await until('the probe', () => atProxy.length === 4)
    const { relay } = forwarder
    await until('it to rest', () => {
      const before = relay.cpu()
      // A process that spins uses as much as this one, whenever it is asked.
      const own = busyLoop()
      return relay.cpu() - before <= own / 10
    })
    for (const client of [silent, finished, unread, probe]) client.destroy()
  })
})

describe('a port that leads to a socket', () => {
  it('hands connections on to that socket, and is no way in', async () => {
    const [port, other] = [await freePort(), await freePort()]
    const directory = mkdtempSync(join(tmpdir(), 'moat-lead-'))
    const [gate, host] = [join(directory, 'gate.sock'), join(directory, 'one.host')]
    forwarder = await Forwarder.start(['--lead', `${port}=${gate}`, '--lead', `${other}=${host}`])
    await forwarder.listen((socket) => socket.end('the gate'), gate)
    await forwarder.listen((socket) => socket.end('a port'), host)
    const said = async (at: number) => {
      const socket = connect({ host: '127.0.0.1', port: at })
      return (await buffer(socket)).toString()
    }
    expect([await said(port), await said(other)]).toEqual(['the gate', 'a port'])
    rmSync(directory, { force: true, recursive: true })
  })

  it('is asked by connect for a host, whose words it carries both ways, or says why not', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-connect-'))
    const gate = join(directory, 'gate.sock')
    const servers = new Servers()
    const asked: string[] = []
    await servers.listen((socket) => {
      socket.once('data', (head) => {
        asked.push(String(head).split('\r\n')[0] ?? '')
        if (!String(head).includes('ok.test'))
          return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n{"error":"network_policy"}\n')
        socket.write('HTTP/1.1 200 Connection established\r\n\r\nSSH-2.0-x\r\n')
        // All that is said, when it has been said.
        const pieces: Buffer[] = []
        return socket.on('data', (piece) => pieces.push(piece)).once('end', () => socket.end(Buffer.concat(pieces)))
      })
    }, gate)
    const ask = (host: string, input: Buffer) =>
      new Promise<{ code: number | null; stderr: string; stdout: Buffer }>((resolve) => {
        const child = spawn(forwarderProgram, ['connect', gate, host, '22'])
        const all = Promise.all([buffer(child.stdout), buffer(child.stderr)])
        child.once('exit', async (code) => {
          const [stdout, stderr] = await all
          resolve({ code, stderr: stderr.toString(), stdout })
        })
        child.stdin.on('error', () => {})
        child.stdin.end(input)
      })
    const question = randomBytes(3_000_000)
    const answer = await ask('ok.test', question)
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    expect(sum(answer.stdout)).toBe(sum(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), question])))
    expect(await ask('::1', Buffer.alloc(0))).toMatchObject({
      code: 1,
      stderr: 'moat: ::1: {"error":"network_policy"}\n',
    })
    expect(asked).toEqual(['CONNECT ok.test:22 HTTP/1.1', 'CONNECT [::1]:22 HTTP/1.1'])
    await servers.closeAll()
    expect(await ask('ok.test', Buffer.alloc(0))).toMatchObject({
      code: 1,
      stderr: 'moat: ok.test: No such file or directory\n',
    })
    rmSync(directory, { force: true, recursive: true })
  })
})

describe('without a proxy', () => {
  it('a connection waits for one that is being started', async () => {
    forwarder = await Forwarder.start()
    const client = await forwarder.connect()
    client.write('early')
    await forwarder.listen((socket) => socket.pipe(socket))
    client.end()
    expect((await buffer(client)).toString()).toBe('early')
  })

  it('it is closed after five seconds, and what has waited with it', async () => {
    forwarder = await Forwarder.start()
    const start = performance.now()
    const clients = await Promise.all([forwarder.connect(), forwarder.connect()])
    await Promise.all(clients.map((client) => once(client.resume(), 'end')))
    expect(performance.now() - start).toBeGreaterThan(4_900)
    expect(performance.now() - start).toBeLessThan(40_000)
  })

  it('it goes to another host, on the same port, where that is allowed', async () => {
    forwarder = await Forwarder.start(['--host', '127.0.0.2'])
    const { port } = forwarder
    await forwarder.listen((socket) => socket.end('from the host'), { host: '127.0.0.2', port })
    const client = await forwarder.connect()
    client.end('?')
    expect((await buffer(client)).toString()).toBe('from the host')
    // The socket goes first.
    await forwarder.listen((socket) => socket.end('from the socket'))
    const second = await forwarder.connect()
    second.end('?')
    expect((await buffer(second)).toString()).toBe('from the socket')
  })

  it('it does not go round in a circle', async () => {
    forwarder = await Forwarder.start(['--host', '127.0.0.1'])
    const idle = forwarder.relay.descriptors()
    const client = await forwarder.connect()
    let most = 0
    const descriptors = () => {
      const now = forwarder?.relay.descriptors() ?? 0
      most = Math.max(most, now)
      return now
    }
    await until('the connection', () => descriptors() > idle)
    await until('its end', () => descriptors() === idle)
    // The connection, and an attempt to reach the proxy.
    expect(most).toBeLessThanOrEqual(idle + 2)
    client.destroy()
  })
})
