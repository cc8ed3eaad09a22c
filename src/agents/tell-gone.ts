// Owns telling plugins that an agent of theirs is gone.
import type { EndpointPlugins } from '../endpoints/plugin-hooks.js'
import { messageOf } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { corePlugin } from '../routing/route-table.js'

export type GoneAgent = Pick<Agent, 'endpoints' | 'name' | 'runId' | 'workspace'>

/** Called once an agent's container and routes are gone; never rejects. */
export type TellGone = (agent: GoneAgent) => Promise<void>

/** Plugins are only asked about agents with endpoints of theirs. One that fails is noted: the agent is gone all the same. */
export function tellGone(plugins: EndpointPlugins, note: (line: string) => void): TellGone {
  return async ({ endpoints, name, runId, workspace }) => {
    if (endpoints.every(({ plugin = corePlugin }) => plugin === corePlugin)) return
    try {
      await plugins.agentGone({ agent: { name, runId, workspace }, endpoints })
    } catch (error) {
      note(messageOf(error))
    }
  }
}
