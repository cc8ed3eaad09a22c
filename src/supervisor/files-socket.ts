// Owns the socket at which Caddy asks which file it may serve. The answer names the file; its content goes through Caddy.
import { type FileHandle, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Agent } from '../routing/agent.js'
import { listenPrivately } from '../upkeep/listen-privately.js'
import { findFile } from './find-file.js'

/** Files kept open for Caddy to open in its turn: it does so at once, long before this many more are asked for. */
const mostOpen = 256
/** And never longer than this. Milliseconds. */
const openFor = 5_000

export interface FilesSocket {
  close(): Promise<void>
}

/** `findAgent` gives the agent of a run id. The caller holds the supervisor lock. */
export async function openFilesSocket(
  path: string,
  findAgent: (runId: string) => Agent | undefined,
): Promise<FilesSocket> {
  const files = new OpenFiles()
  const throughDescriptors = await canShareDescriptors()
  const server = createServer((request, response) => {
    answer(request, response, findAgent, (handle, file) =>
      throughDescriptors ? files.share(handle) : files.name(handle, file),
    ).catch(() => response.writeHead(500).end())
  })
  const listener = await listenPrivately(server, path)
  return {
    close: async () => {
      listener.release()
      server.close()
      server.closeAllConnections()
      await files.close()
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  findAgent: (runId: string) => Agent | undefined,
  share: (handle: FileHandle, path: string) => string,
): Promise<void> {
  const agent = findAgent(String(request.headers['x-moat-run']))
  const fragment = agent?.routes.find(({ endpoint }) => endpoint === request.headers['x-moat-endpoint'])
  const [path = '/', query] = (request.url ?? '/').split(/\?(.*)/s)
  const found = agent && fragment?.files && (await findFile(agent.workspace, fragment.files, path))
  switch (found?.kind) {
    case undefined:
      return void response.writeHead(404).end()
    case 'redirect': {
      const location = `${path.split('/').at(-1)}/${query === undefined ? '' : `?${query}`}`
      return void response.writeHead(308, { 'x-moat-location': location }).end()
    }
    case 'directory':
      return void response.writeHead(204, { 'x-moat-root': found.root }).end()
    case 'file': {
      const type = await contentType(found.path)
      const file = encodeURI(share(found.handle, found.path)).replace(/[?#]/g, encodeURIComponent)
      return void response.writeHead(200, { 'x-moat-file': file, 'x-moat-type': type }).end()
    }
  }
}

async function contentType(path: string): Promise<string> {
  // Loaded here: most proxies serve no files.
  const { default: mime } = await import('mime')
  const type = mime.getType(path) ?? 'application/octet-stream'
  return /^text\/|[/+](json|javascript|xml)$/.test(type) ? `${type}; charset=utf-8` : type
}

/**
 * On Linux Caddy, which runs as the same user, opens the very file that was looked at through this process's descriptor:
 * putting a link in its place meanwhile changes nothing. A process that has changed its user may not be looked into.
 */
async function canShareDescriptors(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  return (await stat('/proc/self/fd')).uid === process.geteuid?.()
}

class OpenFiles {
  readonly #open = new Set<FileHandle>()

  /** A path that leads to the open file. */
  share(handle: FileHandle): string {
    this.#open.add(handle)
    const [oldest] = this.#open
    if (this.#open.size > mostOpen && oldest) this.#release(oldest)
    setTimeout(() => this.#release(handle), openFor).unref()
    return `/proc/${process.pid}/fd/${handle.fd}`
  }

  /** The path the file had. */
  name(handle: FileHandle, path: string): string {
    void handle.close()
    return path
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((handle) => this.#release(handle)))
  }

  async #release(handle: FileHandle): Promise<void> {
    if (this.#open.delete(handle)) await handle.close()
  }
}
