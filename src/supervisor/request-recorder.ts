// Owns recording requests while somebody watches: Caddy reports those of the watched hosts over a unix socket.
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { listenPrivately, type PrivateListener } from '../upkeep/listen-privately.js'

/** One request that went through the proxy. */
export interface RecordedRequest {
  /** Milliseconds. */
  duration: number
  method: string
  status: number
  /** ISO 8601: when the answer had been sent. */
  time: string
  url: string
}

interface Watcher {
  hosts: ReadonlySet<string>
  onRequest: (request: RecordedRequest) => void
}

export interface RequestRecorderOptions {
  path: string
  /** Resolves when Caddy reports these hosts. */
  setRecorded: (hosts: readonly string[]) => Promise<void>
}

export class RequestRecorder {
  readonly #connections = new Set<Socket>()
  readonly #options: RequestRecorderOptions
  readonly #watchers = new Set<Watcher>()
  #listener: PrivateListener | undefined
  #server: Promise<Server> | undefined

  constructor(options: RequestRecorderOptions) {
    this.#options = options
  }

  /** Resolves once requests to `hosts` are recorded, until the returned function is called. */
  async watch(hosts: readonly string[], onRequest: Watcher['onRequest']): Promise<() => void> {
    // Caddy connects when it gets the config.
    this.#server ??= this.#listen()
    await this.#server
    const watcher = { hosts: new Set(hosts), onRequest }
    this.#watchers.add(watcher)
    const release = () => {
      if (this.#watchers.delete(watcher)) this.#update().catch(() => {})
    }
    try {
      await this.#update()
    } catch (error) {
      release()
      throw error
    }
    return release
  }

  async close(): Promise<void> {
    this.#watchers.clear()
    const server = await this.#server
    this.#listener?.release()
    for (const connection of this.#connections) connection.destroy()
    server?.close()
  }

  async #update(): Promise<void> {
    const hosts = new Set([...this.#watchers].flatMap((watcher) => [...watcher.hosts]))
    await this.#options.setRecorded([...hosts].toSorted())
  }

  async #listen(): Promise<Server> {
    const { path } = this.#options
    const server = createServer((connection) => {
      this.#connections.add(connection)
      connection.on('close', () => this.#connections.delete(connection))
      connection.on('error', () => {})
      createInterface({ input: connection }).on('line', (line) => this.#hand(line))
    })
    this.#listener = await listenPrivately(server, path)
    return server
  }

  #hand(line: string): void {
    const request = requestOf(line)
    if (!request) return
    const { hostname } = new URL(request.url)
    for (const { hosts, onRequest } of this.#watchers) if (hosts.has(hostname)) onRequest(request)
  }
}

/** Undefined for a line that is not about a request: whatever comes in here must not end the supervisor. */
function requestOf(line: string): RecordedRequest | undefined {
  try {
    const { duration, request, status, ts } = JSON.parse(line) as {
      duration: number
      request: { host: string; method: string; uri: string }
      status: number
      ts: number
    }
    return {
      duration: Math.round(duration * 10_000) / 10,
      method: request.method,
      status,
      time: new Date(ts * 1000).toISOString(),
      url: new URL(`https://${request.host}${request.uri}`).href,
    }
  } catch {
    return undefined
  }
}
