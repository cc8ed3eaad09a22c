// The forwarder on this machine, as in a container: in front of a program that runs until it is ended.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseListeners } from '../../src/routing/listening.js'
import { ForwarderProcess, forwarderProgram } from './forwarder-process.js'
import { freePort, Servers } from './servers.js'
import { until } from './until.js'

export class Forwarder {
  readonly port: number
  /** Where the proxy is expected. */
  readonly socket: string
  readonly relay: ForwarderProcess
  readonly #directory: string
  readonly #servers = new Servers()

  private constructor(port: number, directory: string, relay: ForwarderProcess) {
    this.port = port
    this.socket = join(directory, 'proxy.sock')
    this.relay = relay
    this.#directory = directory
  }

  /** Resolves when it listens. `runner` runs it. */
  static async start(flags: string[] = [], runner = [forwarderProgram]): Promise<Forwarder> {
    const directory = mkdtempSync(join(tmpdir(), 'moat-forward-'))
    const port = await freePort()
    const socket = join(directory, 'proxy.sock')
    const relay = await ForwarderProcess.start([...runner, '--port', `${port}`, '--socket', socket, ...flags], socket)
    // Not found out by connecting: that would be the first of its connections.
    const listens = () => parseListeners(readFileSync('/proc/net/tcp', 'utf8')).some((found) => found.port === port)
    await until('the forwarder', listens)
    return new Forwarder(port, directory, relay)
  }

  /** The proxy; `onConnection` is what it does with a connection. */
  async listen(onConnection: (socket: Socket) => void, where: string | { host: string; port: number } = this.socket) {
    await this.#servers.listen(onConnection, where)
  }

  async connect(): Promise<Socket> {
    const socket = connect({ allowHalfOpen: true, host: '127.0.0.1', port: this.port })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  async end(): Promise<void> {
    await this.relay.end()
    await this.#servers.closeAll()
    rmSync(this.#directory, { force: true, recursive: true })
  }
}
