// Owns hearing of each request that Caddy has opened, at a socket that only this user can open: it has its line in the same log.
import { createServer, type Socket } from 'node:net'
import type { MoatPaths } from '../config/paths.js'
import type { NetworkLogEntry } from '../egress/policy.js'
import { type AgentNames, readReport } from '../egress/reports.js'
import { listenPrivately } from '../upkeep/listen-privately.js'

/** Characters. Caddy takes a megabyte of headers, and a path is one of them. */
const longestLine = 4_000_000

export interface CaddyReportsOptions {
  log(entry: NetworkLogEntry): void
  nameOf: AgentNames
  /** Called when a host has answered with 401: what a grant has put in may be out of date. */
  onRefused(entry: NetworkLogEntry): void
  paths: Pick<MoatPaths, 'egressReports'>
}

export async function openCaddyReports({
  log,
  nameOf,
  onRefused,
  paths,
}: CaddyReportsOptions): Promise<{ close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    let rest = ''
    sockets.add(socket)
    socket.setEncoding('utf8')
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > longestLine) rest = ''
      for (const line of lines) {
        const { status, ...entry } = readReport(line, nameOf) ?? {}
        if (!isEntry(entry)) continue
        log(entry)
        if (status === 401 && entry.verdict === 'allowed') onRefused(entry)
      }
    })
  })
  const listener = await listenPrivately(server, paths.egressReports)
  return {
    close: () => {
      listener.release()
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function isEntry(entry: Partial<NetworkLogEntry>): entry is NetworkLogEntry {
  return entry.runId !== undefined
}
