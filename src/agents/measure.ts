// Owns what running agents use at this moment.
import type { MoatPaths } from '../config/paths.js'
import { withDiscovered } from '../doors/with-discovered.js'
import { isOpen } from '../egress/effective-policy.js'
import { type HostUse, NetworkUse } from '../egress/network-use.js'
import type { PolicyMode } from '../egress/policy.js'
import type { Engine } from '../engine/engine.js'
import type { ContainerUsage, ImageInfo } from '../engine/sessions.js'
import { describeUnsealed } from '../engine/unsealed.js'
import { hasEnded, isLive } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import type { ProxyAddress } from '../routing/urls.js'
import { unneeded, type VolumeView, viewVolumes } from '../volumes/find-volumes.js'

export interface SystemStatus {
  engine: { address: string; name: string; version: string }
  /** Images that moat built. */
  images: ImageInfo[]
  runs: (AgentView & {
    /** Of an agent under a network policy: what it has talked to, and what it was refused. */
    network?: { hosts: HostUse[]; policy: PolicyMode }
    usage: ContainerUsage
  })[]
  /** Directories that agents keep from run to run. */
  volumes: VolumeView[]
  /** What a person may want to do something about. */
  warnings: string[]
}

export async function measureSystem(
  engine: Engine,
  paths: Pick<MoatPaths, 'agents' | 'home'>,
  address: ProxyAddress,
): Promise<SystemStatus> {
  const [{ agents, unreadable, unsealed }, images, version, volumes] = await Promise.all([
    engine.listAgents(),
    engine.sessions.images(),
    engine.sessions.version(),
    viewVolumes(engine),
  ])
  const live = await withDiscovered(agents.filter(isLive), { paths })
  const networks = new NetworkUse(paths)
  await networks.refresh(live.filter(({ network }) => network && !isOpen(network)).map(({ runId }) => runId))
  const usages = await Promise.all(live.map(({ containerId }) => engine.sessions.usage(containerId)))
  const ended = agents.filter(hasEnded).length
  const abandoned = unneeded(volumes, false).length
  const unused = images.filter(({ used }) => !used).length
  return {
    engine: { address: engine.address, ...version },
    images,
    runs: live.map((agent, index) => ({
      ...viewAgent(agent, address),
      ...(agent.network &&
        !isOpen(agent.network) && {
          network: { hosts: networks.of(agent.runId), policy: agent.network.policy },
        }),
      usage: usages[index] ?? { cpu: 0, disk: 0, memory: 0 },
    })),
    volumes,
    warnings: [
      ...unreadable.map(({ name, reason }) => `The container ${name} cannot be read: ${reason}.`),
      ...unsealed.map((container) => `${describeUnsealed(container)}: ${container.fix}`),
      ...(ended > 0 ? [`${ended} ended ${ended === 1 ? 'run is' : 'runs are'} still there: moat clean`] : []),
      ...(unused > 0 ? [`${unused} built ${unused === 1 ? 'image is' : 'images are'} not in use: moat clean`] : []),
      ...(abandoned > 0
        ? [
            `${abandoned} ${abandoned === 1 ? 'volume is' : 'volumes are'} of workspaces that are gone: moat volumes prune`,
          ]
        : []),
    ],
  }
}
