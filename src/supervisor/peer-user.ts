// Owns whose connection a request came over: on Linux the kernel says which user a local socket belongs to.
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

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
  // A socket of IPv6 may hold a connection of IPv4.
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  return isOwned(tables.join('\n'), client, port, uid)
}

/**
 * True when the kernel's tables have the connection from `client`, `127.0.0.1:50000` or `[::1]:50000`, to the server on `port`, and
 * its client's end is `uid`'s. Ports alone say nothing: another user may have the same two, from or to another address. So each
 * address at which the server has such a connection must be one to which this user's socket leads, and no one else's.
 */
export function isOwned(tables: string, client: string, port: number, uid: number): boolean {
  const from = endOf(client)
  if (from === undefined) return false
  const sockets = tables.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state, , , , owner] = line.trim().split(/\s+/)
    return owner === undefined ? [] : [{ local: plain(local), owner: Number(owner), remote: plain(remote), state }]
  })
  const suffix = `:${hexPort(port)}`
  const servers = sockets.filter(({ local, remote }) => remote === from && local.endsWith(suffix))
  return (
    servers.length > 0 &&
    servers.every((server) => {
      // Those that are closing too: who has closed one half still reads the answer.
      const ends = sockets.filter(({ local, remote }) => local === from && remote === server.local)
      return ends.some(({ state }) => state === established) && ends.every(({ owner }) => owner === uid)
    })
  )
}

// The kernel prints addresses as 32-bit words of the machine's own byte order, which is little-endian wherever moat runs.
const mappedIpv4 = /^0000000000000000FFFF0000(?=[0-9A-F]{8}:)/

/** An end in the kernel's words, an address of IPv4 always as such. */
function plain(end: string): string {
  return end.replace(mappedIpv4, '')
}

/** An address and port of Caddy's in the kernel's words; undefined for anything else. */
function endOf(text: string): string | undefined {
  const [, v6 = '', v4 = '', port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? []
  const [address, family] = [v6 || v4, v6 ? 6 : 4]
  if (isIP(address) !== family) return undefined
  const bytes = family === 4 ? Buffer.from(address.split('.').map(Number)) : bytesOf(address)
  return plain(`${bytes.swap32().toString('hex').toUpperCase()}:${hexPort(Number(port))}`)
}

/** The sixteen bytes of an address of IPv6. */
function bytesOf(address: string): Buffer {
  // Without an IPv4 address at its end any more.
  const [start = '', end] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const [before = [], after = []] = [start, end].map((part) => part?.split(':').filter(Boolean))
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
