// Owns clearing away what ended agents and old builds have left on the engine.
import type { Engine } from '../engine/engine.js'
import { hasEnded } from '../routing/agent.js'
import { findOrphans, removeOrphans } from '../services/remove-services.js'
import { unneeded, type VolumeView, viewVolumes } from '../volumes/find-volumes.js'
import type { TellGone } from './tell-gone.js'

/** What there is to remove, and then what was removed. */
export interface Leftovers {
  agents: { name: string; runId: string; state: string }[]
  images: { size: number; tag: string }[]
  networks: string[]
  /** Of runs that have ended: what nobody was there to remove. */
  services: { name: string; runId: string }[]
  /** Kept, whoever asks: what is in them is somebody's. Those of workspaces that are gone. */
  volumes: VolumeView[]
}

/** Agents that have ended, kept ones too, and images and networks of moat's that no container uses. */
export async function findLeftovers(engine: Engine): Promise<Leftovers> {
  const [{ agents }, images, networks, services, volumes] = await Promise.all([
    engine.listAgents(),
    engine.sessions.images(),
    engine.networks.unused(),
    findOrphans(engine),
    viewVolumes(engine),
  ])
  return {
    agents: agents.filter(hasEnded).map(({ name, runId, state }) => ({ name, runId, state })),
    images: images.filter(({ used }) => !used).flatMap(({ size, tags }) => tags.map((tag) => ({ size, tag }))),
    networks,
    services: services.map(({ name, runId }) => ({ name, runId })),
    volumes: unneeded(volumes, false),
  }
}

/** Removes leftovers that are still such; an agent started again meanwhile is left alone. */
export async function removeLeftovers(engine: Engine, leftovers: Leftovers, tell: TellGone): Promise<void> {
  const { agents } = await engine.listAgents()
  const ended = agents.filter((agent) => hasEnded(agent) && leftovers.agents.some(({ runId }) => runId === agent.runId))
  for (const agent of ended) {
    await engine.remove(agent.containerId)
    await tell(agent)
  }
  await removeOrphans(engine)
  for (const { tag } of leftovers.images) await engine.sessions.removeImage(tag)
  if (leftovers.networks.length > 0) await engine.networks.remove()
}
