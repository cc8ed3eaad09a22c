// Owns what is said of the engine, its images and volumes, and of what running agents use at this moment.
import type { MoatPaths } from '../config/paths.js'
import { isOpen } from '../egress/effective-policy.js'
import { type HostUse, NetworkUse } from '../egress/network-use.js'
import type { PolicyMode } from '../egress/policy.js'
import type { ContainerUsage, ImageInfo } from '../engine/sessions.js'
import { describeUnsealed } from '../engine/unsealed.js'
import { hasEnded, isLive } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import type { ProxyAddress } from '../routing/urls.js'
import { unneeded, type VolumeView, withAbandoned } from '../volumes/find-volumes.js'
import type { Surroundings } from './look-around.js'

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

/** `engine` is where it answers. */
export async function describeSystem(
  { engine, list, system }: Pick<Surroundings, 'engine' | 'list' | 'system'>,
  paths: Pick<MoatPaths, 'agents' | 'home'>,
  address: ProxyAddress,
): Promise<SystemStatus> {
  const { agents, unreadable, unsealed } = list
  const { images = [], usages = {}, version = { name: '', version: '' }, volumes: listed = [] } = system ?? {}
  const live = agents.filter(isLive)
  const volumes = await withAbandoned(listed)
  const networks = new NetworkUse(paths)
  await networks.refresh(live.filter(({ network }) => network && !isOpen(network)).map(({ runId }) => runId))
  const ended = agents.filter(hasEnded).length
  const abandoned = unneeded(volumes, false).length
  const unused = images.filter(({ used }) => !used).length
  return {
    engine: { address: engine, ...version },
    images,
    runs: live.map((agent) => ({
      ...viewAgent(agent, address),
      ...(agent.network &&
        !isOpen(agent.network) && {
          network: { hosts: networks.of(agent.runId), policy: agent.network.policy },
        }),
      usage: usages[agent.containerId] ?? { cpu: 0, disk: 0, memory: 0 },
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
