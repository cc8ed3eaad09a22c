// The forwarder on this machine, as in a container: in front of a program that runs until it is ended.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseListeners } from '../../src/routing/listening.js'
import { until } from './until.js'

export const forwarderProgram = resolve(`forwarder/linux-${process.arch === 'x64' ? 'amd64' : process.arch}`)

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export class Forwarder {
  readonly port: number
  /** Where the proxy is expected. */
  readonly socket: string
  readonly #directory: string
  readonly #program: ChildProcess
  readonly #servers: { server: Server; sockets: Set<Socket> }[] = []
  #relay: number | undefined

  private constructor(port: number, flags: string[], runner: string[]) {
    this.#directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
    this.port = port
    this.socket = join(this.#directory, 'proxy.sock')
    const [file = '', ...args] = [...runner, '--port', `${port}`, '--socket', this.socket, ...flags, '--', 'cat']
    this.#program = spawn(file, args, { stdio: ['pipe', 'ignore', 'inherit'] })
  }

  /** Resolves when it listens. `runner` runs it. */
  static async start(flags: string[] = [], runner = [forwarderProgram]): Promise<Forwarder> {
    const forwarder = new Forwarder(await freePort(), flags, runner)
    // Not found out by connecting: that would be the first of its connections.
    const listens = () =>
      parseListeners(readFileSync('/proc/net/tcp', 'utf8')).some(({ port }) => port === forwarder.port)
    await until('the forwarder', listens)
    forwarder.#relay = await until('the process that serves', () => forwarder.#findRelay())
    return forwarder
  }

  /** The proxy; `onConnection` is what it does with a connection. */
  async listen(onConnection: (socket: Socket) => void, where: string | { host: string; port: number } = this.socket) {
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      onConnection(socket)
    })
    this.#servers.push({ server, sockets })
    if (typeof where === 'string') server.listen(where)
    else server.listen(where.port, where.host)
    await once(server, 'listening')
  }

  async connect(): Promise<Socket> {
    const socket = connect({ allowHalfOpen: true, host: '127.0.0.1', port: this.port })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  /** Holds up the process that does the work, so that what happens meanwhile comes to it at once. */
  stop(): void {
    if (this.#relay !== undefined) process.kill(this.#relay, 'SIGSTOP')
  }

  goOn(): void {
    if (this.#relay !== undefined) process.kill(this.#relay, 'SIGCONT')
  }

  /** Open descriptors of the process that does the work. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#relay}/fd`).length
  }

  /** CPU time it has used. Hundredths of a second. */
  cpu(): number {
    const fields = readFileSync(`/proc/${this.#relay}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }

  /** The one that was started is the program by now, and not its parent. */
  #findRelay(): number | undefined {
    const read = (pid: string, file: string) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'utf8')
      } catch {
        // It has ended meanwhile.
        return ''
      }
    }
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${this.#program.pid}`)
    const mine = pids.filter((pid) => read(pid, 'cmdline').split('\0').includes(this.socket))
    const found = mine.find((pid) => {
      const parent = /^PPid:\t(\d+)$/m.exec(read(pid, 'status'))?.[1]
      // Of one that has ended meanwhile there is nothing to be read.
      return parent !== undefined && parent !== `${this.#program.pid}`
    })
    return found === undefined ? undefined : Number(found)
  }

  async end(): Promise<void> {
    const ended = this.#program.exitCode === null ? once(this.#program, 'exit') : undefined
    this.#program.stdin?.end()
    await ended
    if (this.#relay !== undefined) process.kill(this.#relay, 'SIGKILL')
    for (const { server, sockets } of this.#servers) {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    rmSync(this.#directory, { force: true, recursive: true })
  }
}
