// The way in to a container, on this machine: the forwarder's sockets in a directory, and servers behind them.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ForwarderProcess, forwarderProgram } from './forwarder-process.js'
import { freePort, Servers } from './servers.js'

export type Way = '' | '.quick' | '.probe'
export const ways: readonly Way[] = ['', '.quick', '.probe']

export class WayIn {
  /** The one that is served. */
  readonly port: number
  readonly directory: string
  readonly relay: ForwarderProcess
  readonly servers = new Servers()
  readonly #clients: Socket[] = []

  private constructor(port: number, directory: string, relay: ForwarderProcess) {
    this.port = port
    this.directory = directory
    this.relay = relay
  }

  /** Its sockets are there when this resolves. `prepare` comes before them; `runner` runs the forwarder. */
  static async start(
    flags: string[] = [],
    { prepare = () => {}, runner = [forwarderProgram] }: { prepare?: (base: string) => void; runner?: string[] } = {},
  ): Promise<WayIn> {
    const directory = mkdtempSync(join(tmpdir(), 'moat-in-'))
    const port = await freePort()
    prepare(join(directory, `${port}`))
    const call = [...runner, '--in', directory, '--serve', `${port}`, ...flags]
    return new WayIn(port, directory, await ForwarderProcess.start(call, directory))
  }

  path(way: Way = '', port = this.port): string {
    return join(this.directory, `${port}${way}`)
  }

  async connect(way: Way = '', port = this.port): Promise<Socket> {
    const socket = connect({ allowHalfOpen: true, path: this.path(way, port) })
    this.#clients.push(socket)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  /** What is answered to a question that is over. */
  async ask(question: string, way: Way = ''): Promise<string> {
    const client = await this.connect(way)
    client.end(question)
    return (await buffer(client)).toString()
  }

  /** Resolves with how long it took until a connection was closed without a byte. Milliseconds. */
  async patience(way: Way): Promise<number> {
    const start = performance.now()
    const client = await this.connect(way)
    client.on('data', () => client.destroy(new Error('somebody answered')))
    await Promise.race([once(client, 'end'), once(client, 'close')])
    if (client.bytesRead > 0) throw new Error(`${client.bytesRead} bytes came from who was to say nothing`)
    return performance.now() - start
  }

  /** The server of the container's. */
  listen(onConnection: (socket: Socket) => void, host = '127.0.0.1', port = this.port): Promise<Server> {
    return this.servers.listen(onConnection, { host, port })
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    await this.relay.end()
    await this.servers.closeAll()
    rmSync(this.directory, { force: true, recursive: true })
  }
}
