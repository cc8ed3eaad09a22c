// Owns stopping and destroying an agent: done when its container and its routes are gone.
import { removeAgentDirectory } from '../doors/agent-directory.js'
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { type Agent, canHaveEndpoints } from '../routing/agent.js'
import { syncRoutes } from '../supervisor/control-client.js'
import { findProxy, type ProxyOptions } from '../supervisor/proxy.js'
import { findAgent } from './find-agent.js'
import type { TellGone } from './tell-gone.js'

/** How long an agent may take to end after SIGTERM before it is killed. Seconds. */
export const stopGrace = 10

export interface StoppedAgent {
  name: string
  runId: string
}

/**
 * Stops the agents that `references` name (a name, a run id or the beginning of one), all at the same time, and removes those
 * that are not to be kept. None is stopped when one of the references is wrong.
 */
export async function stopAgents(
  engine: Engine,
  proxy: ProxyOptions,
  references: readonly string[],
  tell: TellGone,
): Promise<StoppedAgent[]> {
  const { agents, unsealed } = await engine.listAgents()
  const chosen = [...new Set(references.map((reference) => findAgent(agents, reference, unsealed)))]
  const outcomes = await Promise.allSettled(
    chosen.map(async (agent) => {
      await engine.stop(agent.containerId, stopGrace)
      if (!agent.keep) await engine.remove(agent.containerId)
      return agent
    }),
  )
  const stopped = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  await withdrawn(stopped, proxy)
  for (const agent of stopped) if (!agent.keep) await forgotten(agent, proxy, tell)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return stopped.map(({ name, runId }) => ({ name, runId }))
}

/** Removes an agent at once, running or not, kept or not. */
export async function destroyAgent(
  engine: Engine,
  proxy: ProxyOptions,
  reference: string,
  tell: TellGone,
): Promise<StoppedAgent> {
  const { agents, unsealed } = await engine.listAgents()
  const agent = findAgent(agents, reference, unsealed)
  await engine.remove(agent.containerId)
  await withdrawn([agent], proxy)
  await forgotten(agent, proxy, tell)
  return { name: agent.name, runId: agent.runId }
}

/** A supervisor does so too, if it has seen the agent: one that was started since has not. */
async function forgotten(agent: Agent, { paths }: ProxyOptions, tell: TellGone): Promise<void> {
  await removeAgentDirectory(paths, agent.runId).catch(() => {})
  await tell(agent)
}

/**
 * Resolves when the agents' routes are gone too; a Caddy without a supervisor is given one that sees to it. A proxy that is
 * in trouble is a note: the agents are gone all the same, and so will their routes be once the proxy is well.
 */
async function withdrawn(agents: readonly Agent[], proxy: ProxyOptions): Promise<void> {
  if (!agents.some(canHaveEndpoints)) return
  try {
    if (await findProxy(proxy)) await syncRoutes(proxy.paths.controlSocket)
  } catch (error) {
    process.stderr.write(`Note: the proxy could not be told of it: ${messageOf(error)}\n`)
  }
}
