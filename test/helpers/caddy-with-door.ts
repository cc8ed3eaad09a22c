// Caddy and the forwarder's sockets of one endpoint, linked as the supervisor links them, with the server behind them in the test.
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { moatPaths } from '../../src/config/paths.js'
import { linkDirectories } from '../../src/routing/way-in.js'
import { type BareCaddy, startBareCaddy } from './bare-caddy.js'
import { WayIn } from './way-in.js'

export class CaddyWithDoor {
  readonly host = 'web.app.localhost'
  readonly #caddy: BareCaddy
  readonly #directory: string
  readonly #wayIn: WayIn

  private constructor(caddy: BareCaddy, directory: string, wayIn: WayIn) {
    this.#caddy = caddy
    this.#directory = directory
    this.#wayIn = wayIn
  }

  static async start(): Promise<CaddyWithDoor> {
    const directory = await mkdtemp(join(tmpdir(), 'moat-door-'))
    const paths = moatPaths({ MOAT_HOME: directory })
    const [caddy, wayIn] = await Promise.all([startBareCaddy(paths, []), WayIn.start()])
    const made = new CaddyWithDoor(caddy, directory, wayIn)
    const { expected, hosts, names, quick } = linkDirectories
    for (const name of [expected, hosts, names, quick]) await mkdir(join(paths.proxy, name), { recursive: true })
    for (const name of [expected, names]) await writeFile(join(paths.proxy, name, made.host), '')
    await link(wayIn.path(), join(paths.proxy, hosts, made.host))
    await link(wayIn.path('.quick'), join(paths.proxy, quick, made.host))
    return made
  }

  /** For a client of Node's: a connection of its own each time. */
  get target() {
    return {
      agent: false as const,
      headers: { Host: `${this.host}:${this.#caddy.port}` },
      host: '127.0.0.1',
      port: this.#caddy.port,
      rejectUnauthorized: false,
      servername: this.host,
    }
  }

  /** The app in the container. `events` are a server's, such as `checkContinue`. */
  async serve(onRequest: RequestListener, events: Record<string, RequestListener> = {}): Promise<Server> {
    const server = createServer(onRequest)
    for (const [event, listener] of Object.entries(events)) server.on(event, listener)
    const listening = await this.#wayIn.listen((socket) => server.emit('connection', socket))
    server.on('close', () => void this.#wayIn.servers.close(listening))
    return server
  }

  /** Ends the app as its process's death does. */
  async endServers(): Promise<void> {
    await this.#wayIn.servers.closeAll()
  }

  async end(): Promise<void> {
    await this.#caddy.kill()
    await this.#wayIn.end()
    await rm(this.#directory, { force: true, recursive: true })
  }
}
