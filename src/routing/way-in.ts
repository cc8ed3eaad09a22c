// Owns the names under which agents' sockets are linked for Caddy, which finds a container by the name of a host. Pure.

/** Directories, relative to the proxy's, as Caddy sees them from the one that it works in. */
export const linkDirectories = {
  /** An empty file for each host that is to have a socket, there yet or not. */
  expected: 'expected',
  /** A socket for each host, which waits for the server behind it. */
  hosts: 'hosts',
  /** A certificate and its key for each agent. */
  leaves: 'leaves',
  /** An empty file for each other name of which Caddy may make a certificate. */
  names: 'names',
  /** An empty file for each agent and the address that it has inside; with an ending, one for each other agent that it knows. */
  own: 'own',
  /** An empty file for each host and the port in the container that answers at it, and whose redirects are put right. */
  ports: 'ports',
  /** A socket for each host, which gives up sooner: for people, who are shown a page that waits. */
  quick: 'quick',
  /** Sockets of container ports, by run. */
  ways: 'ways',
} as const

/** Endings of names among `own`: how things are between two agents. */
export const peerEndings = {
  absent: '.absent',
  open: '.peer',
  'unlisted-here': '.unlisted-here',
  'unlisted-there': '.unlisted-there',
} as const

/** The file with an agent's certificate. */
export function leafName(agent: string): string {
  return `${agent}.pem`
}

/** Of the socket that gives up sooner, beside the one that waits. */
export const quickSuffix = '.quick'
/** Of the socket that waits for nobody, which tells whether a server listens. */
export const probeSuffix = '.probe'

/** Of a path that is dialled as it stands in the config. */
const fromCaddy = '../'
/** Linux has room for so many bytes in the address of a socket, and the zero after it. */
const longestAddress = 107

/** True for a host whose socket Caddy can dial under its name: a longer path than that no socket has. */
export function isLinkable(host: string): boolean {
  return Buffer.byteLength(`${fromCaddy}${linkDirectories.hosts}/${host}`) <= longestAddress
}

/** The link to the socket of a container port, below the proxy's directory. */
export function wayName(runId: string, port: number): string {
  return `${linkDirectories.ways}/${runId}/${port}`
}

/** A path below the proxy's directory as Caddy dials it. */
export function dialAddress(path: string): string {
  return `unix/${fromCaddy}${path}`
}

/**
 * The address that an agent has for Caddy when it comes from inside its container: the digits of its run id, as Go writes
 * an address of IPv6, `1a2b:3c4d:5e6f::`.
 */
export function insideAddress(runId: string): string {
  const groups = /^run_([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})$/.exec(runId)?.slice(1) ?? []
  // What a URL makes of it is the one way to write it that Go knows too.
  return new URL(`http://[${groups.join(':')}::]`).hostname.slice(1, -1)
}

/** Of the file that says which agent has an address inside, or what an agent knows of another. To make a directory costs much more. */
export function ownName(address: string, agent: string, ending = ''): string {
  return `${agent}@${address}${ending}`
}

/** Of the file that says which port in the container answers at a host. */
export function portName(host: string, port: number | string): string {
  return `${host}:${port}`
}
