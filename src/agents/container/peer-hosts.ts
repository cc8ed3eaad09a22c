// Owns the hosts of other agents that an agent may reach, for programs in containers that ask the system for names: Node and
// Python do, while curl and browsers know where `*.localhost` leads.
import { setTimeout as wait } from 'node:timers/promises'
import type { Engine } from '../../engine/engine.js'
import { type Agent, type Endpoint, isLive } from '../../routing/agent.js'
import { agentHost, endpointHost } from '../../routing/urls.js'

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

export interface TellOptions {
  /** All agents that run, if somebody has just asked; those without a policy may be left out. */
  beside: readonly Agent[] | undefined
  domain: string
  /** Told of those that could not be told. */
  note: (line: string) => void
}

/** Has agents that run and list this one know its hosts, whether it lists them or not: the proxy's answer says so. Resolves in any case. */
export async function tellPeers(
  engine: Pick<Engine, 'listAgents' | 'sessions'>,
  agent: Pick<Agent, 'endpoints' | 'name'>,
  { beside, domain, note }: TellOptions,
): Promise<void> {
  const agents = beside ?? (await engine.listAgents()).agents
  const listing = agents.filter(({ network, state }) => network?.peers.includes(agent.name) && state === 'running')
  const hosts = hostsOf(agent, domain)
  await Promise.all(
    listing.map(async ({ containerId, name }) => {
      const added = addHosts(engine, containerId, hosts).catch(() => false)
      if (await Promise.race([added, wait(patience, false, { ref: false })])) return
      note(
        `In ${name}, programs that ask the system for names will not find ${agent.name}: it has to be started again.`,
      )
    }),
  )
}

/** Longer a container that is busy with something else is not waited for. Milliseconds. */
const patience = 5_000

/** By what the shell itself knows: no program is looked for as root. What the engine made of the file is left as it is. */
const script = `known=
while IFS= read -r line; do known="$known $line "; done < /etc/hosts
for name do
  case "$known" in
    *[[:space:]]"$name"[[:space:]]*) ;;
    *) echo "127.0.0.1 $name" >> /etc/hosts || exit 1 ;;
  esac
done`

async function addHosts({ sessions }: Pick<Engine, 'sessions'>, containerId: string, hosts: readonly string[]) {
  const command = ['/bin/sh', '-c', script, 'sh', ...hosts]
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
