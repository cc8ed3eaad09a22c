// Owns the hosts of other agents that an agent may reach, for programs in containers that ask the system for names: Node and
// Python do, while curl and browsers know where `*.localhost` leads.
import type { Engine } from '../engine/engine.js'
import { type Agent, type Endpoint, isLive } from '../routing/agent.js'
import { agentHost, endpointHost } from '../routing/urls.js'

/** Of peers that run now, and the bare host of each that does not: those that start later tell themselves, by `tellPeers`. */
export async function peerHostsOf(
  engine: Pick<Engine, 'listAgents'>,
  peers: readonly string[],
  domain: string,
): Promise<string[]> {
  if (peers.length === 0) return []
  const { agents } = await engine.listAgents()
  return peers.flatMap((peer) => {
    const running = agents.find((agent) => agent.name === peer && isLive(agent))
    return hostsOf({ endpoints: running?.endpoints ?? [], name: peer }, domain)
  })
}

/** Has agents that run and list this one know its hosts, whether it lists them or not: the proxy's answer says so. Resolves in any case; `note` is told of those that could not be. */
export async function tellPeers(
  engine: Pick<Engine, 'listAgents' | 'sessions'>,
  agent: Pick<Agent, 'endpoints' | 'name'>,
  domain: string,
  note: (line: string) => void,
): Promise<void> {
  const { agents } = await engine.listAgents()
  const listing = agents.filter(({ network, state }) => network?.peers.includes(agent.name) && state === 'running')
  const hosts = hostsOf(agent, domain)
  await Promise.all(
    listing.map(async ({ containerId, name }) => {
      if (await addHosts(engine, containerId, hosts).catch(() => false)) return
      note(`In ${name}, programs that ask the system for names will not find ${agent.name}: it has to be started anew.`)
    }),
  )
}

/** What the engine made of the file is left as it is. */
const script =
  'for name do grep -qsF " $name" /etc/hosts || printf "127.0.0.1 %s\\n" "$name" >> /etc/hosts || exit 1; done'

async function addHosts({ sessions }: Pick<Engine, 'sessions'>, containerId: string, hosts: readonly string[]) {
  const command = ['sh', '-c', script, 'sh', ...hosts]
  const session = await sessions.exec(containerId, { command, tty: false, user: 'root' })
  session.stdin.end()
  session.output.stdout.resume()
  session.output.stderr.resume()
  return (await session.exitCode) === 0
}

function hostsOf(
  { endpoints, name }: { endpoints: readonly Pick<Endpoint, 'name' | 'url'>[]; name: string },
  domain: string,
) {
  const proxied = endpoints.filter(({ url }) => url === undefined)
  return [agentHost(name, domain), ...proxied.map((endpoint) => endpointHost(name, endpoint.name, domain))]
}
