// Owns what listening sockets in a container mean for a port the proxy wants to reach. Pure.

/** A socket that listens in a container. */
export interface Listener {
  /** True when only processes in the same container reach it. */
  loopback: boolean
  port: number
}

/** Who can reach a port, and what there is instead. */
export type Reach =
  | { kind: 'answering' }
  /** Bound to 127.0.0.1 or ::1. */
  | { kind: 'loopback' }
  /** Nothing on this port, but on these, nearest to it first. */
  | { kind: 'elsewhere'; ports: number[] }
  | { kind: 'nothing' }

/**
 * How `port` is reached. `declared` are ports that other endpoints stand for: what listens there is where it belongs.
 */
export function reachOf(listeners: readonly Listener[], port: number, declared: readonly number[] = []): Reach {
  const here = listeners.filter((listener) => listener.port === port)
  if (here.some(({ loopback }) => !loopback)) return { kind: 'answering' }
  if (here.length > 0) return { kind: 'loopback' }
  const others = new Set(listeners.map((listener) => listener.port).filter((other) => !declared.includes(other)))
  if (others.size === 0) return { kind: 'nothing' }
  const distance = (other: number) => Math.abs(other - port)
  return { kind: 'elsewhere', ports: [...others].toSorted((a, b) => distance(a) - distance(b) || a - b) }
}

/** TCP_LISTEN, in the kernel's tables. */
const listening = '0A'
/** Where engines answer DNS questions inside a container. */
const engineResolver = '127.0.0.11'

/** The listening sockets in the text of `/proc/net/tcp`, of `/proc/net/tcp6`, or of both. */
export function parseListeners(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    if (state !== listening || !/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(address)) return []
    const ipv4 = ipv4Of(address)
    if (ipv4 === engineResolver) return []
    const loopback = ipv4 === undefined ? address === ipv6Loopback : ipv4.startsWith('127.')
    return [{ loopback, port: Number.parseInt(port, 16) }]
  })
}

// The kernel prints addresses as 32-bit words of the machine's own byte order, which is little-endian wherever moat runs.
const ipv6Loopback = '00000000000000000000000001000000'
const mappedIpv4 = '0000000000000000FFFF0000'

/** The address as `127.0.0.1`; undefined for one of IPv6. */
function ipv4Of(address: string): string | undefined {
  const word = address.startsWith(mappedIpv4) ? address.slice(mappedIpv4.length) : address
  if (word.length !== 8) return undefined
  return (word.match(/../g) ?? [])
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.')
}
