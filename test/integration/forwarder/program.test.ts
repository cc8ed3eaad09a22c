// The program that the forwarder becomes: what it has and sees, and the binaries themselves.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { Forwarder } from '../../helpers/forwarder.js'
import { forwarderProgram } from '../../helpers/forwarder-process.js'
import { freePort } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex')

let forwarder: Forwarder | undefined

afterEach(async () => {
  await forwarder?.end()
  forwarder = undefined
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
    // Counted by pgrep itself: what a shell starts beside it has for a moment the shell's arguments.
    const count = `pgrep -fc '${mark.slice(0, 4)}[-]${mark.slice(5)}'; : ${mark}`
    const { stdout } = await behind(['sh', '-c', count])
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
