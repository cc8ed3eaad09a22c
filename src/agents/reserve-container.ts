// Owns the uniqueness of agent names: the engine's reservation of the container name decides, never a look beforehand.
import { type ContainerSpec, type Engine, NameReservedError } from '../engine/engine.js'
import { MoatError } from '../errors.js'
import { type Agent, isLive } from '../routing/agent.js'

/** A container created this long ago and never started belongs to a run that was killed. Milliseconds. */
const abandonedAfter = 30_000
/** How long a name may be reserved by a container that cannot be seen: one that is just being made or removed. */
const hiddenDeadline = 10_000
const hiddenCheckInterval = 50

/** Creates the agent's container. A dead agent of that name makes room; a living one is a NAME_IN_USE error. */
export async function reserveContainer(engine: Engine, name: string, spec: ContainerSpec): Promise<string> {
  const end = performance.now() + hiddenDeadline
  for (;;) {
    try {
      return await engine.create(spec)
    } catch (error) {
      if (!(error instanceof NameReservedError)) throw error
      const holder = await engine.findByContainerName(spec.name)
      if (holder && !holder.agent) throw nameHeld(name, spec.name, holder.fix)
      if (holder && !isAbandoned(holder.agent)) throw nameInUse(name, holder.agent)
      if (performance.now() > end) throw new MoatError('NAME_IN_USE', error.message, { cause: error })
      if (holder) await engine.remove(holder.agent.containerId)
      else await new Promise((resolve) => setTimeout(resolve, hiddenCheckInterval))
    }
  }
}

function isAbandoned(agent: Agent): boolean {
  if (agent.state === 'created') return Math.abs(Date.now() - Date.parse(agent.createdAt)) > abandonedAfter
  return !isLive(agent)
}

/** Somebody else's work may be in it: moat removes only what it made itself. */
function nameHeld(name: string, container: string, fix: string): MoatError {
  const message = `The name ${name} is held by the container ${container}, which this moat did not make.`
  return new MoatError('NAME_IN_USE', message, { suggestions: [fix] })
}

function nameInUse(name: string, { runId }: Agent): MoatError {
  return new MoatError('NAME_IN_USE', `The name ${name} is already in use by run ${runId}.`, {
    suggestions: ['moat list', `moat logs -f ${name}`, `moat stop ${name}`],
  })
}
