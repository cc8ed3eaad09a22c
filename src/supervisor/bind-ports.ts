// Owns the proxy's listening sockets: bound here, on loopback only, and handed to Caddy as file descriptors.
//
// Caddy itself binds with SO_REUSEPORT, so a second Caddy on a taken port starts silently and takes half the
// connections. Binding here makes a taken port the error it is.
import { createServer, type Server } from 'node:net'
import { asRoot } from '../config/invoking-user.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'
import { listenPorts } from '../routing/urls.js'
import { findPortHolder } from './port-holder.js'

export interface BoundPorts {
  /** Descriptors of the listening sockets, valid until `close`; the last is the one for names. */
  descriptors: number[]
  /** The port at which Caddy asks itself about names. */
  namesPort: number
  /** The port in URLs; the one the system chose when 0 was asked for. */
  port: number
  /** Closes this process's copies; a child that has inherited the sockets keeps listening. */
  close(): void
}

/** Binds 127.0.0.1 and, where the machine has it, ::1, on every port that `port` stands for. */
export async function bindPorts(port: number): Promise<BoundPorts> {
  const servers: Server[] = []
  const close = () => {
    for (const server of servers) server.close()
  }
  try {
    for (const listenPort of listenPorts(port)) {
      const ipv4 = await bind('127.0.0.1', listenPort)
      servers.push(ipv4)
      const ipv6 = await bind('::1', boundPort(ipv4)).catch((error) => {
        if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(systemCode(error) ?? '')) return undefined
        throw error
      })
      if (ipv6) servers.push(ipv6)
    }
    servers.push(await bind('127.0.0.1', 0))
  } catch (error) {
    close()
    throw await explain(error, port)
  }
  const [first, last] = [servers[0], servers.at(-1)]
  return {
    close,
    descriptors: servers.map(descriptorOf),
    namesPort: last ? boundPort(last) : 0,
    port: first ? boundPort(first) : port,
  }
}

async function bind(host: string, port: number): Promise<Server> {
  // A connection that arrives before Caddy has the socket is reset, so that its client tries again.
  const server = createServer((socket) => socket.resetAndDestroy())
  await asRoot(
    () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ backlog: 511, exclusive: true, host, ipv6Only: host === '::1', port }, resolve)
      }),
  )
  return server
}

function boundPort(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy socket has no TCP address.')
  return address.port
}

/** The descriptor of a listening server. Node has no public way to it, and Caddy can be given nothing else. */
function descriptorOf(server: Server): number {
  const handle = (server as unknown as { _handle: { fd: number } | null })._handle
  if (!handle || handle.fd < 0) throw new Error('The proxy socket has no file descriptor.')
  return handle.fd
}

async function explain(error: unknown, port: number): Promise<unknown> {
  const code = systemCode(error)
  const failedPort = (error as { port?: number }).port ?? port
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(failedPort)
    const by = holder ? `${holder.command} (pid ${holder.pid})` : 'a process of another user'
    return new MoatError('PORT_TAKEN', `Port ${failedPort} is already in use by ${by}.`, {
      cause: error,
      suggestions: [
        `MOAT_PROXY_PORT=${alternativePort(port)} moat run`,
        `moat proxy start --port ${alternativePort(port)}`,
        // It may be anything: whoever reads this decides whether it has to go.
        holder ? `ps -fp ${holder.pid}   # what it is` : `sudo lsof -nP -iTCP:${failedPort} -sTCP:LISTEN`,
      ],
    })
  }
  if (code === 'EACCES') {
    return new MoatError('PORT_DENIED', `Port ${failedPort} may only be used by root on this machine.`, {
      cause: error,
      suggestions: [
        `sudo moat proxy start --port ${port}`,
        ...(process.platform === 'linux' ? withoutRoot(port) : []),
        'moat proxy start --port 8080',
      ],
    })
  }
  return error
}

/** What gives an ordinary user the port once and for all; who uses the machine decides whether that is a good idea. */
function withoutRoot(port: number): string[] {
  const lowest = Math.min(...listenPorts(port))
  return [
    `sudo sysctl net.ipv4.ip_unprivileged_port_start=${lowest}   # from then on without sudo, for every program`,
    `sudo setcap cap_net_bind_service=+ep ${shellQuote(process.execPath)}   # the same, for every program that this Node runs`,
  ]
}

function alternativePort(port: number): number {
  return port < 1024 ? 8080 : port + 1
}
