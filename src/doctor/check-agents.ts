// Owns the check of agents: containers that have the labels of one and were not made by this moat, or were renamed.
import { describeUnsealed } from '../engine/unsealed.js'
import { type DoctorContext, type Finding, ok, warn } from './diagnosis.js'

/** Containers that are named. */
const shown = 10

export async function checkAgents({ connectEngine }: DoctorContext): Promise<Finding[]> {
  // Without an engine nothing can be known of it, and the check of the engine says so already.
  const engine = await connectEngine().catch(() => undefined)
  if (!engine) return []
  const { agents, unsealed } = await engine.listAgents()
  if (unsealed.length === 0) {
    const count = agents.length === 1 ? '1 agent' : `${agents.length} agents`
    return [ok('agents', agents.length === 0 ? 'There are none.' : `${count}, made by this moat.`)]
  }
  const count = unsealed.length === 1 ? '1 container is' : `${unsealed.length} containers are`
  const named = unsealed.slice(0, shown).map((container) => `${describeUnsealed(container)}.`)
  const more = unsealed.length > shown ? [`And ${unsealed.length - shown} more.`] : []
  const message = [
    `${count} not taken for agents and ${unsealed.length === 1 ? 'has' : 'have'} no routes.`,
    ...named,
    ...more,
  ]
  const fixes = unsealed.slice(0, shown).map(({ fix }) => fix)
  const restart = unsealed.some(({ reason }) => reason === 'unsealed')
    ? ['moat run <directory>   # restarts an agent of an earlier version']
    : []
  return [warn('agents', message.join('\n'), [...fixes, ...restart])]
}
