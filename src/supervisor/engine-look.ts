// Owns what commands show of the engine, gathered in one go: by the supervisor, in which all that it takes is loaded already, or by
// a command itself. Either way the engine is asked anew, and nothing that was known before is shown.
import type { MoatPaths } from '../config/paths.js'
import { withDiscovered } from '../doors/with-discovered.js'
import type { AgentList, Engine } from '../engine/engine.js'
import type { ContainerUsage, ImageInfo } from '../engine/sessions.js'
import type { VolumeInfo } from '../engine/volumes.js'
import type { EndpointProblem } from '../pages/view.js'
import { isLive } from '../routing/agent.js'
import type { SupervisorStatus } from './protocol.js'

export interface EngineLook {
  /** With the endpoints that they have now. */
  list: AgentList
  /** Present if it was asked for. */
  system?: SystemLook
}

export interface SystemLook {
  images: ImageInfo[]
  /** Of the agents that run, by container. */
  usages: Record<string, ContainerUsage>
  version: { name: string; version: string }
  volumes: VolumeInfo[]
}

/** What the supervisor answers. */
export interface SupervisorLook extends EngineLook {
  problems: EndpointProblem[]
  status: SupervisorStatus
}

export async function lookAtEngine(
  engine: Engine,
  paths: Pick<MoatPaths, 'agents'>,
  { system }: { system: boolean },
): Promise<EngineLook> {
  const listed = engine.listAgents()
  const [list, looked] = await Promise.all([
    listed.then(async (found) => ({ ...found, agents: await withDiscovered(found.agents, { paths }) })),
    system ? lookAtSystem(engine, listed) : undefined,
  ])
  return { list, ...(looked && { system: looked }) }
}

/** What agents use is looked at for a while: that begins first, and in that while the engine says the rest, which would delay it. */
async function lookAtSystem(engine: Engine, listed: Promise<AgentList>): Promise<SystemLook> {
  const { agents } = await listed
  const [usages, images, version, volumes] = await Promise.all([
    usagesOf(engine, agents),
    engine.sessions.images(),
    engine.sessions.version(),
    engine.volumes.list(),
  ])
  return { images, usages, version, volumes }
}

async function usagesOf({ sessions }: Engine, agents: AgentList['agents']): Promise<Record<string, ContainerUsage>> {
  const measured = agents
    .filter(isLive)
    .map(async ({ containerId }) => [containerId, await sessions.usage(containerId)] as const)
  return Object.fromEntries(await Promise.all(measured))
}
