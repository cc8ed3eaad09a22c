// Servers that a test starts, and that are gone after it with all their connections.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

export class Servers {
  readonly #servers = new Map<Server, Set<Socket>>()

  /** Resolves when it listens, with its port where it has one. */
  async listen(
    onConnection: (socket: Socket) => void,
    where: string | { host: string; port: number },
  ): Promise<Server> {
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
      onConnection(socket)
    })
    if (typeof where === 'string') server.listen(where)
    else server.listen({ ...where, backlog: 4096 })
    await once(server, 'listening')
    this.#servers.set(server, sockets)
    return server
  }

  /** Ends one as its process's death would. */
  async close(server: Server): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#servers.get(server) ?? []) socket.destroy()
    this.#servers.delete(server)
    await closed
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((server) => this.close(server)))
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
