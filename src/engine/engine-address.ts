// Owns the addresses an engine can be reached at: how they are written, and what Node needs to dial them.
import { realpath } from 'node:fs/promises'

/** What node:http and dockerode need to reach an engine. */
export interface DialOptions {
  socketPath: string
}

/**
 * For each request over a socket: Node would else work out what a server is called for TLS, with an expression that takes it 4 ms to
 * make.
 */
export const nameless = { servername: '' }

/** Ways to engines of other machines. */
const remote = ['http', 'https', 'ssh', 'tcp']

/**
 * How to dial `address` (`unix://` or `npipe://`). Throws an Error whose message says in plain words why the address cannot be
 * dialled. An engine that is reached by TCP or SSH may be another machine's: agents' files and servers have to be on this one.
 */
export function dialOptions(address: string): DialOptions {
  const [, scheme = '', rest = ''] = /^(\w+):\/\/(.*)$/.exec(address) ?? []
  if ((scheme === 'unix' || scheme === 'npipe') && rest) return { socketPath: rest }
  if (remote.includes(scheme))
    throw new Error(
      `engines over ${scheme}:// are not supported yet; moat needs one on this machine, at a unix:// socket`,
    )
  throw new Error('not an address; write unix:///path')
}

/** True for two addresses of one engine: `/var/run/docker.sock` is often a link to `/run/docker.sock`. */
export async function sameEngine(a: string, b: string): Promise<boolean> {
  if (a === b) return true
  const [first, second] = await Promise.all([a, b].map(realAddress))
  return first === second
}

async function realAddress(address: string): Promise<string> {
  const path = /^unix:\/\/(.+)$/.exec(address)?.[1]
  return path === undefined ? address : `unix://${await realpath(path).catch(() => path)}`
}
