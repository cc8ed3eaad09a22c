// Owns stopping and destroying an agent: done when its container and its routes are gone.
import { removeAgentDirectory } from '../doors/agent-directory.js'
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import type { Agent } from '../routing/agent.js'
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

/** Stops the agent that `reference` names (a name, a run id or the beginning of one), and removes it unless it is to be kept. */
export async function stopAgent(
  engine: Engine,
  proxy: ProxyOptions,
  reference: string,
  tell: TellGone,
): Promise<StoppedAgent> {
  const { agents, unsealed } = await engine.listAgents()
  const agent = findAgent(agents, reference, unsealed)
  await engine.stop(agent.containerId, stopGrace)
  if (!agent.keep) await engine.remove(agent.containerId)
  await withdrawn(agent, proxy)
  if (!agent.keep) await forgotten(agent, proxy, tell)
  return { name: agent.name, runId: agent.runId }
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
  await withdrawn(agent, proxy)
  await forgotten(agent, proxy, tell)
  return { name: agent.name, runId: agent.runId }
}

/** A supervisor does so too, if it has seen the agent: one that was started since has not. */
async function forgotten(agent: Agent, { paths }: ProxyOptions, tell: TellGone): Promise<void> {
  await removeAgentDirectory(paths, agent.runId).catch(() => {})
  await tell(agent)
}

/**
 * Resolves when the agent's routes are gone too; a Caddy without a supervisor is given one that sees to it. A proxy that is
 * in trouble is a note: the agent is gone all the same, and so will its routes be once the proxy is well.
 */
async function withdrawn({ endpoints }: Agent, proxy: ProxyOptions): Promise<void> {
  if (endpoints.length === 0) return
  try {
    if (await findProxy(proxy)) await syncRoutes(proxy.paths.controlSocket)
  } catch (error) {
    process.stderr.write(`Note: the proxy could not be told of it: ${messageOf(error)}\n`)
  }
}
