// Owns which ports on 127.0.0.1 an agent's container ports are published at.
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { EndpointRegistration, PublishedPort } from '../../endpoints/contract.js'
import { MoatError, systemCode } from '../../errors.js'
import { dialledPorts } from '../../routing/route-table.js'
import { findPortHolder } from '../../supervisor/port-holder.js'

/** A container port to publish. Without `hostPort` the engine chooses one at each start. */
export interface ChosenPort {
  hostPort?: number
  port: number
}

/** Below the ports that systems hand out for outgoing connections. */
const range = { first: 20_000, size: 12_000 }
const mostTries = 64

/**
 * Every port once. A `stable` one is derived from the agent's and the endpoint's names, so that the next run of the agent
 * mostly gets the same, and is the next free one if that is taken. Rejects with PORT_TAKEN for a port that was asked for.
 */
export async function choosePorts(
  agent: string,
  registrations: readonly EndpointRegistration[],
  free: (port: number) => Promise<boolean> = isFree,
): Promise<ChosenPort[]> {
  const chosen = new Map<number, number | undefined>()
  const taken = (hostPort: number) => [...chosen.values()].includes(hostPort)
  for (const registration of registrations) {
    for (const { hostPort, port } of portsOf(registration)) {
      if (chosen.get(port) !== undefined) continue
      if (typeof hostPort === 'number') {
        await assertFree(hostPort, registration.endpoint, free)
        chosen.set(port, hostPort)
      } else chosen.set(port, hostPort && (await stablePort(`${agent} ${registration.endpoint} ${port}`, taken, free)))
    }
  }
  return [...chosen].map(([port, hostPort]) => ({ ...(hostPort !== undefined && { hostPort }), port }))
}

/** Every port that a registration needs published: those it names, and those it dials. */
function portsOf({ named, ports = [], routes = [], upstream }: EndpointRegistration): PublishedPort[] {
  const dialled = dialledPorts({
    ...(named && { named }),
    routes,
    ...(upstream && { upstream: { protocol: 'http', ...upstream } }),
  })
  return [...ports, ...dialled.filter((port) => !ports.some((known) => known.port === port)).map((port) => ({ port }))]
}

async function stablePort(seed: string, taken: (port: number) => boolean, free: typeof isFree): Promise<number> {
  const start = createHash('sha256').update(seed).digest().readUInt32BE(0)
  for (let attempt = 0; attempt < mostTries; attempt += 1) {
    const port = range.first + ((start + attempt) % range.size)
    if (!taken(port) && (await free(port))) return port
  }
  throw new MoatError('PORT_TAKEN', `No free port was found from ${range.first} to ${range.first + range.size - 1}.`)
}

async function assertFree(port: number, endpoint: string, free: typeof isFree): Promise<void> {
  if (await free(port)) return
  const holder = await findPortHolder(port)
  const by = holder ? `${holder.command} (pid ${holder.pid})` : 'a process of another user'
  throw new MoatError('PORT_TAKEN', `Port ${port} of the endpoint ${endpoint} is already in use by ${by}.`, {
    suggestions: [
      'choose another port in moat.yaml, or none, and moat finds one',
      holder ? `ps -fp ${holder.pid}   # what it is` : `sudo lsof -nP -iTCP:${port} -sTCP:LISTEN`,
    ],
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      if (['EACCES', 'EADDRINUSE'].includes(systemCode(error) ?? '')) resolve(false)
      else reject(error)
    })
    server.listen({ exclusive: true, host: '127.0.0.1', port }, () => server.close(() => resolve(true)))
  })
}
