// Owns whose connection a request came over: on Linux the kernel says which user a local socket belongs to.
import { readFile } from 'node:fs/promises'

const established = '01'

/**
 * False when the client's end of the connection is another user's, or not on this machine's network at all. Elsewhere
 * than on Linux nobody can say, and the answer is true.
 */
export async function isOwnConnection(
  client: string,
  port: number,
  { platform = process.platform, uid = process.geteuid?.() ?? 0 } = {},
): Promise<boolean> {
  if (platform !== 'linux') return true
  const clientPort = Number(/:(\d+)$/.exec(client)?.[1])
  // A socket of IPv6 may hold a connection of IPv4.
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  return ownerOf(tables.join('\n'), clientPort, port) === uid
}

/** The user of the socket from `local` to `remote`, in a table of the kernel; undefined when there is none. */
export function ownerOf(table: string, local: number, remote: number): number | undefined {
  for (const line of table.split('\n')) {
    const [, from = '', to = '', state, , , , uid] = line.trim().split(/\s+/)
    if (state === established && portOf(from) === local && portOf(to) === remote) return Number(uid)
  }
  return undefined
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16)
}
