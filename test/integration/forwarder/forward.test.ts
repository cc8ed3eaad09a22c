// The forwarder itself: what flows through it, what it does without a proxy, and the program it becomes.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { Forwarder } from '../../helpers/forwarder.js'
import { forwarderProgram } from '../../helpers/forwarder-process.js'
import { freePort, Servers } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
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
    const before = forwarder.relay.cpu()
    // A process that spins uses all the time there is: two turns of this many look-ups take some 100 ms.
    for (let turn = 0; turn < 20_000; turn += 1) readFileSync('/proc/self/stat')
    expect(forwarder.relay.cpu() - before).toBeLessThanOrEqual(2)
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
    expect(performance.now() - start).toBeLessThan(8_000)
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

/** Runs a program behind the forwarder, to its end. */
async function behind(program: string[], input = '') {
  const directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
  const flags = ['--port', `${await freePort()}`, '--socket', join(directory, 'proxy.sock')]
  try {
    const { status, stderr, stdout } = spawnSync(forwarderProgram, [...flags, '--', ...program], {
      encoding: 'utf8',
      input,
    })
    return { status, stderr, stdout }
  } finally {
    spawnSync('pkill', ['-KILL', '-f', join(directory, 'proxy.sock')])
    rmSync(directory, { recursive: true })
  }
}

describe('the program', () => {
  it('has its arguments, its input, its output and its exit code', async () => {
    const script = 'cat; echo "$@"; echo err >&2; exit 7'
    expect(await behind(['sh', '-c', script, 'sh', 'a b', '', 'c'], 'in\n')).toEqual({
      status: 7,
      stderr: 'err\n',
      stdout: 'in\na b  c\n',
    })
  })

  it('has no child and no descriptor that it did not ask for', async () => {
    const script = ['sh', '-c', 'wc -w < /proc/$$/task/$$/children; ls /proc/$$/fd']
    const alone = spawnSync(script[0] ?? '', script.slice(1), { encoding: 'utf8', input: '' })
    expect((await behind(script)).stdout).toBe(alone.stdout)
  })

  it('is the only one to hold what else was open', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
    const flags = ['--port', `${await freePort()}`, '--socket', join(directory, 'proxy.sock'), '--', 'true']
    const program = spawn(forwarderProgram, flags, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    try {
      // Ends when the last process that has the other end is gone, or lets go of it.
      const closed = once(program.stdio[3] as Socket, 'close').then(() => true)
      await until('the end of it', () => Promise.race([closed, undefined]))
    } finally {
      spawnSync('pkill', ['-KILL', '-f', join(directory, 'proxy.sock')])
      rmSync(directory, { recursive: true })
    }
  })

  it('is alone when somebody looks for it by its arguments', async () => {
    const mark = `mark-${process.pid}-${Date.now()}`
    const { stdout } = await behind([
      'sh',
      '-c',
      `pgrep -f '${mark.slice(0, 4)}[-]${mark.slice(5)}' | wc -l; : ${mark}`,
    ])
    expect(stdout.trim()).toBe('1')
  })

  it.each([
    ['no-such-command', 127, 'No such file or directory'],
    ['/etc/passwd', 126, 'Permission denied'],
  ])('is missed as a shell would miss it: %s', async (program, status, reason) => {
    expect(await behind([program, 'x'])).toEqual({
      status,
      stderr: `moat: cannot run ${program}: ${reason}\n`,
      stdout: '',
    })
  })

  it('runs all the same when the port is taken', async () => {
    forwarder = await Forwarder.start()
    const flags = ['--port', `${forwarder.port}`, '--socket', '/nowhere', '--', 'echo', 'ran']
    expect(spawnSync(forwarderProgram, flags, { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: `moat: this agent's own URLs do not answer in its container: port ${forwarder.port}: Address in use\n`,
      stdout: 'ran\n',
    })
  })

  it('runs all the same when nobody can come in', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
    const long = join(directory, 'x'.repeat(100))
    try {
      for (const [where, reason] of [
        [join(directory, 'none'), 'No such file or directory'],
        [long, 'Filename too long'],
      ] as const) {
        const flags = ['--in', where, '--serve', '3000', '--', 'echo', 'ran']
        const { status, stderr, stdout } = spawnSync(forwarderProgram, flags, { encoding: 'utf8' })
        expect([status, stdout]).toEqual([0, 'ran\n'])
        expect(stderr).toMatch(
          /^moat: this agent's ports cannot be reached from outside its container: .* \(and 2 more\)\n$/,
        )
        expect(stderr).toContain(reason)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('runs alone when nothing is asked for', () => {
    const { status, stderr, stdout } = spawnSync(forwarderProgram, ['--', 'echo', 'ran'], { encoding: 'utf8' })
    expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: 'ran\n' })
  })

  it('has the umask and the limits that it would have without it', async () => {
    const script = ['sh', '-c', 'umask 027; ulimit -Sn 300; exec "$@"', 'sh']
    const print = ['sh', '-c', 'umask; ulimit -Sn; ulimit -Hn']
    const alone = spawnSync('sh', [...script.slice(1), ...print], { encoding: 'utf8' })
    const directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
    // More sockets than it may have descriptors before it raises the limit.
    const served = Array.from({ length: 256 }, (_, index) => ['--serve', `${20_000 + index}`]).flat()
    const call = [...script.slice(1), forwarderProgram, '--in', directory, ...served, '--', ...print]
    try {
      const { stderr, stdout } = spawnSync('sh', call, { encoding: 'utf8' })
      expect({ stderr, stdout }).toEqual({ stderr: '', stdout: alone.stdout })
      expect(readdirSync(directory)).toHaveLength(768)
    } finally {
      spawnSync('pkill', ['-KILL', '-f', directory])
      rmSync(directory, { recursive: true })
    }
  })

  it('has no way in at the ports of the proxy, nor one that leads to itself', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
    const [port, published] = [`${await freePort()}`, `${await freePort()}`]
    const ways = ['--in', directory, '--serve', port, '--serve', published, '--publish', `${published}=${port}`]
    const call = ['--port', port, '--socket', join(directory, 'proxy.sock'), ...ways, '--', 'true']
    try {
      const { stderr } = spawnSync(forwarderProgram, call, { encoding: 'utf8' })
      expect(stderr).toMatch(/: port \d+: It would lead to itself\n$/)
      expect(readdirSync(directory)).toEqual([])
    } finally {
      spawnSync('pkill', ['-KILL', '-f', directory])
      rmSync(directory, { recursive: true })
    }
  })

  it.each([
    [['--serve', '80', '--', 'true']],
    [['--discover', '--', 'true']],
    [['--in', '/i', '--serve', '0', '--', 'true']],
    [['--publish', '80', '--', 'true']],
    [['--publish', '80=x', '--', 'true']],
    [['--port', ' 80', '--socket', '/s', '--', 'true']],
    [['doors', '--agents', '/a']],
    [['doors', '--agents', '/a', '--tls', '/t', '--plain', '/p', '--control', '/c', '--limit', '0']],
    [[]],
    [['--port', '80', '--', 'true']],
    [['--socket', '/s', '--', 'true']],
    [['--port', 'x', '--socket', '/s', '--', 'true']],
    [['--port', '65536', '--socket', '/s', '--', 'true']],
    [['--port', '80', '--socket', '/s', '--']],
    [['--port', '80', '--socket', `/${'s'.repeat(108)}`, '--', 'true']],
    [['--nonsense', '80', '--port', '80', '--socket', '/s', '--', 'true']],
  ])('does not start when the call is wrong: %j', (call) => {
    const { status, stderr } = spawnSync(forwarderProgram, call, { encoding: 'utf8' })
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^usage: forward /)])
  })
})

describe('the binaries', () => {
  it('are byte for byte what the source compiles to', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-forwarder-'))
    try {
      await run(resolve('scripts/build-forwarder'), [directory])
      for (const name of ['linux-amd64', 'linux-arm64']) {
        // Compared as a truth value: bytes in a failure's report hide the failure.
        const same = readFileSync(join('forwarder', name)).equals(readFileSync(join(directory, name)))
        expect([name, same]).toEqual([name, true])
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 300_000)

  it('of the other processor runs too, as far as an emulator can tell', async () => {
    const [emulator, name] = process.arch === 'x64' ? ['qemu-aarch64', 'arm64'] : ['qemu-x86_64', 'amd64']
    forwarder = await Forwarder.start([], [emulator, resolve(`forwarder/linux-${name}`)])
    await forwarder.listen((socket) => socket.pipe(socket))
    const client = await forwarder.connect()
    const data = randomBytes(300_000)
    client.end(data)
    expect(sum(await buffer(client))).toBe(sum(data))
  })
})
