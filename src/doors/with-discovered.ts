// Owns what an agent's container has by way of endpoints that nobody declared: its forwarder makes sockets for whatever listens,
// and removes them again. The proxy and all commands ask here, so that they agree; nothing of it is written down.
import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { hostUser } from '../config/invoking-user.js'
import { type MoatPaths, wayInDirectory } from '../config/paths.js'
import type { Agent, RouteFragment } from '../routing/agent.js'
import { declaredPorts, discoveredEndpoint, portNamed } from '../routing/declared-ports.js'
import { probeSuffix, quickSuffix } from '../routing/way-in.js'

/** As many as the forwarder finds. */
const mostPorts = 64
/** The container owns the directory, and may fill it with anything: so much of it is read. */
const mostEntries = 1_024
/** What was found last: while it is the same, so is the object. */
const found = new WeakMap<Agent, { agent: Agent; ports: number[] }>()
const suffixes = ['', quickSuffix, probeSuffix]

export interface DiscoverOptions {
  paths: Pick<MoatPaths, 'agents'>
  /** The user whose sockets are dialled. */
  uid?: number
}

/** The agents, those that discover with an endpoint for each port that they have a way in to beside the declared ones. */
export async function withDiscovered(agents: readonly Agent[], options: DiscoverOptions): Promise<Agent[]> {
  if (!agents.some(canDiscover)) return [...agents]
  return Promise.all(agents.map((agent) => (canDiscover(agent) ? discovered(agent, options) : agent)))
}

/** Of a container that does not run, what lies there is left from when it did. */
function canDiscover({ discover, state, wayIn }: Agent): boolean {
  return discover === true && wayIn === 'sockets' && (state === 'running' || state === 'paused')
}

async function discovered(agent: Agent, options: DiscoverOptions): Promise<Agent> {
  const ports = await discoveredPorts(agent, options)
  if (ports.length === 0) return agent
  const known = found.get(agent)
  if (known && known.ports.join() === ports.join()) return known.agent
  const routes = ports.map(
    (port): RouteFragment => ({ discovered: true, endpoint: `${port}`, upstream: { port, protocol: 'http' } }),
  )
  const endpoints = [...agent.endpoints, ...ports.map(discoveredEndpoint)]
  const whole = { ...agent, endpoints, routes: [...agent.routes, ...routes] }
  found.set(agent, { agent: whole, ports })
  return whole
}

/** Lowest first. */
async function discoveredPorts(agent: Agent, { paths, uid = hostUser().uid }: DiscoverOptions): Promise<number[]> {
  const directory = wayInDirectory(paths, agent.runId)
  const names = await readNames(directory)
  const declared = declaredPorts(agent)
  const ports = [...names]
    .flatMap((name) => portNamed(name) ?? [])
    .filter((port) => !declared.has(port) && agent.endpoints.every(({ name }) => name !== `${port}`))
    // The forwarder makes one after the other: without the last, it is still at it.
    .filter((port) => suffixes.every((suffix) => names.has(`${port}${suffix}`)))
    .toSorted((a, b) => a - b)
  const isThere = async (port: number) => {
    const sockets = await Promise.all(
      suffixes.map((suffix) => lstat(join(directory, `${port}${suffix}`)).catch(() => undefined)),
    )
    return sockets.every((one?: Stats) => one?.isSocket() && one.uid === uid)
  }
  const answers = await Promise.all(ports.map(isThere))
  return ports.filter((_, index) => answers[index]).slice(0, mostPorts)
}

async function readNames(directory: string): Promise<Set<string>> {
  const names = new Set<string>()
  const entries = await opendir(directory).catch(() => undefined)
  if (!entries) return names
  try {
    for (let read = 0; read < mostEntries; read += 1) {
      const entry = await entries.read()
      if (!entry) break
      names.add(entry.name)
    }
  } finally {
    await entries.close()
  }
  return names
}
