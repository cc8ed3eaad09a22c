// Owns the sockets of one agent: the one at which it asks the gate for the world, and one for each port of the user's machine that
// it may reach. Which socket a connection comes by says whose it is.
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createNetServer, type Server, type Socket } from 'node:net'
import { agentGateSocket, hostPortSocket, type MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { listenInPlace, type PrivateListener } from '../upkeep/listen-privately.js'
import { connectTo } from './dial.js'
import { type DoorContext, Exchange } from './exchange.js'
import { forwardRequest } from './forward-request.js'
import type { Target } from './target.js'
import { openTunnel } from './tunnel.js'
import { forwardUpgrade, isWebSocket } from './upgrade.js'

/** Who sends headers more slowly than this is not waited for, nor who keeps a connection and asks nothing. Milliseconds. */
const headerDeadline = 15_000
const idleDeadline = 30_000
const checkInterval = 2_000
/** Of one connection, which may ask before it is answered: apt asks for ten at a time. */
const mostUnanswered = 16

const serverOptions: ServerOptions & { shouldUpgradeCallback: (request: IncomingMessage) => boolean } = {
  // Those that moat answers itself are few; the others' hosts say what they keep.
  keepAliveTimeout: idleDeadline,
  noDelay: true,
  // Uploads may last.
  requestTimeout: 0,
  // Not in every Node that moat runs on; there, what is no WebSocket is refused.
  shouldUpgradeCallback: isWebSocket,
}

export interface DoorOptions {
  context: DoorContext
  /** Instead of the usual, for tests. Milliseconds. */
  headerDeadline?: number
  /** True when there is room for one more connection of this agent's, which has so many. */
  hasRoom: (count: number) => boolean
  log: (message: string) => void
  paths: Pick<MoatPaths, 'agents'>
  runId: string
}

export class AgentDoor {
  readonly #hosts = new Map<number, { listener: PrivateListener; server: Server }>()
  readonly #options: DoorOptions
  readonly #sockets = new Set<Socket>()
  readonly #inner: HttpServer
  readonly #server: HttpServer
  /** Connections in which HTTP is spoken within a tunnel, and where it leads. */
  readonly #tunnels = new WeakMap<Socket, Target>()
  readonly #unanswered = new WeakMap<Socket, number>()
  #listener: PrivateListener | undefined

  constructor(options: DoorOptions) {
    this.#options = options
    this.#inner = this.#speaker()
    // What it never does; this is when Node begins to look whether headers come.
    this.#inner.emit('listening')
    this.#server = this.#speaker()
    this.#server.on('connection', (socket) => this.#admit(socket))
    this.#server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (socket.destroyed) return
      const serve = (client: Socket, target: Target) => {
        this.#tunnels.set(client, target)
        this.#inner.emit('connection', client)
        client.resume()
      }
      openTunnel(request, socket, head, options.context, serve).catch((error) => this.#failed(socket, error))
    })
  }

  /** How many connections it has. */
  get count(): number {
    return this.#sockets.size
  }

  /** Resolves when its sockets listen, for these ports of the user's machine and no others. */
  async open(ports: readonly number[]): Promise<void> {
    const { paths, runId } = this.#options
    this.#listener ??= await listenInPlace(this.#server, agentGateSocket(paths, runId), 'everybody')
    for (const [port, { listener, server }] of this.#hosts) {
      if (ports.includes(port)) continue
      this.#hosts.delete(port)
      listener.release()
      server.close()
    }
    for (const port of ports) {
      if (this.#hosts.has(port)) continue
      const server = createNetServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
        this.#toHost(client, port),
      )
      const listener = await listenInPlace(server, hostPortSocket(paths, runId, port), 'everybody')
      this.#hosts.set(port, { listener, server })
    }
  }

  /** Ends everything that the agent has open. */
  close(): void {
    this.leave()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Takes no more connections; those that are open go on. */
  leave(): void {
    this.#listener?.release()
    this.#server.close()
    this.#inner.close()
    for (const { listener, server } of this.#hosts.values()) {
      listener.release()
      server.close()
    }
  }

  #speaker(): HttpServer {
    const { context, headerDeadline: headersTimeout = headerDeadline } = this.#options
    const timing = { connectionsCheckingInterval: Math.min(checkInterval, headersTimeout), headersTimeout }
    const server = createServer({ ...serverOptions, ...timing }, (request, response) => {
      if (!this.#takes(request.socket, response)) return
      forwardRequest(request, response, context, this.#tunnels.get(request.socket)).catch((error) =>
        this.#failed(request.socket, error),
      )
    })
    // Who has asked may say that this was all, and listen.
    Object.assign(server, { httpAllowHalfOpen: true })
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (socket.destroyed) return
      forwardUpgrade(request, socket, head, context, this.#tunnels.get(socket)).catch((error) =>
        this.#failed(socket, error),
      )
    })
    return server
  }

  /** Node hands on all requests that have come, also those after the one for which their connection was ended. */
  #takes(socket: Socket, response: ServerResponse): boolean {
    const count = (this.#unanswered.get(socket) ?? 0) + 1
    if (socket.destroyed) return false
    if (count > mostUnanswered) {
      socket.destroy()
      return false
    }
    // Each of them listens for the end.
    socket.setMaxListeners(2 * mostUnanswered)
    this.#unanswered.set(socket, count)
    response.once('close', () => this.#unanswered.set(socket, (this.#unanswered.get(socket) ?? 1) - 1))
    return true
  }

  #admit(socket: Socket): boolean {
    if (!this.#options.hasRoom(this.#sockets.size)) {
      socket.destroy()
      return false
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return true
  }

  #toHost(client: Socket, port: number): void {
    client.on('error', () => client.destroy())
    if (!this.#admit(client)) return
    const exchange = new Exchange(this.#options.context, { host: '127.0.0.1', port })
    exchange.verdict = { allowed: true, intercept: false, reason: 'port of this machine', rule: `host: ${port}` }
    const carrier = this.#options.context.dialler.carrier()
    void connectTo(['127.0.0.1', '::1'], port, carrier).then((dialled) => {
      if ('problem' in dialled) {
        exchange.fail(dialled.problem)
        client.destroy()
        return
      }
      const { socket } = dialled
      if (client.destroyed) socket.destroy()
      exchange.follow(socket)
      client.once('close', () => socket.destroy())
      socket.once('close', () => client.destroySoon())
      carrier.carry(socket, client)
      client.pipe(socket)
    })
  }

  #failed(socket: Socket, error: unknown): void {
    this.#options.log(`a connection of ${this.#options.runId} failed: ${messageOf(error)}`)
    socket.destroy()
  }
}
