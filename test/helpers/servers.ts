// Servers that a test starts, and that are gone after it with all their connections.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

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

/** A port that nobody listens on, and that the kernel gives to nobody who does not ask for it. */
export async function freePort(): Promise<number> {
  const port = randomInt(10_000, 32_000)
  const server = createServer().listen(port)
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (!free) return freePort()
  server.close()
  await once(server, 'close')
  return port
}
