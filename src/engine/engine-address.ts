// Owns the addresses an engine can be reached at: how they are written, and what Node needs to dial them.
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'

/** What node:http and dockerode need to reach an engine. */
export type DialOptions =
  | { socketPath: string }
  | { ca?: Buffer; cert?: Buffer; host: string; key?: Buffer; port: number; protocol: 'http' | 'https' }

/**
 * How to dial `address` (`unix://`, `npipe://` or `tcp://`). `certificates` is a directory with ca.pem, cert.pem and
 * key.pem for TLS. Throws an Error whose message says in plain words why the address cannot be dialled.
 */
export async function dialOptions(address: string, certificates?: string): Promise<DialOptions> {
  const [, scheme, rest = ''] = /^(\w+):\/\/(.*)$/.exec(address) ?? []
  if ((scheme === 'unix' || scheme === 'npipe') && rest) return { socketPath: rest }
  if (scheme === 'ssh') throw new Error('engines over ssh:// are not supported yet')
  if (scheme !== 'tcp' || !URL.canParse(address))
    throw new Error('not an address; write unix:///path or tcp://host:port')
  const { hostname, port } = new URL(address)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (!host) throw new Error('not an address; write unix:///path or tcp://host:port')
  if (certificates === undefined) return { host, port: Number(port || 2375), protocol: 'http' }
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readCertificate(join(certificates, file))),
  )
  return {
    host,
    port: Number(port || 2376),
    protocol: 'https',
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  }
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

async function readCertificate(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Error(`its TLS file ${path} cannot be read`, { cause })
  }
}
