// Owns stopping and destroying an agent: done when its container and its routes are gone.
import { removeAgentDirectory } from '../doors/agent-directory.js'
import { removeLiveRules } from '../egress/live-rules.js'
import type { AgentList, Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { type Agent, isLive, usesProxy } from '../routing/agent.js'
import { removeServicesOf } from '../services/remove-services.js'
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

export interface StopOptions {
  /** What the engine lists now, if somebody has asked it already. */
  known?: AgentList | undefined
  /** Called for each as soon as nothing of it runs, while its container is removed. */
  onEnded: (agent: StoppedAgent) => void
  /** Shows the stopping, once it is known that there is something to stop. */
  step: <T>(action: () => Promise<T>) => Promise<T>
  tell: TellGone
}

/** Names, run ids or beginnings of run ids; `all` for every agent that the command can be about. */
export type AgentChoice = 'all' | readonly string[]

/**
 * Stops agents, all at the same time, and removes those that are not to be kept. None is stopped when one of the references is
 * wrong. `all` are those that run.
 */
export async function stopAgents(
  engine: Engine,
  proxy: ProxyOptions,
  choice: AgentChoice,
  { known, onEnded, step, tell }: StopOptions,
): Promise<StoppedAgent[]> {
  const chosen = choose(known ?? (await engine.listAgents()), choice).filter(
    (agent) => choice !== 'all' || isLive(agent),
  )
  if (chosen.length === 0) return []
  const stop = async (agent: Agent) => {
    const { containerId, keep, name, runId, services } = agent
    await engine.stop(containerId, stopGrace)
    const remove = async () => {
      if (services) await removeServicesOf(engine, [runId])
      if (!keep) await engine.remove(containerId)
    }
    // Of what has ended the proxy serves nothing, whether its container is there or not.
    const leave = async () => {
      await withdrawn([agent], proxy)
      if (!keep) await forget(agent, proxy)
    }
    const gone = Promise.all([remove(), leave()])
    onEnded({ name, runId })
    await gone
    return !keep
  }
  return step(() => endAll(chosen, tell, stop))
}

/** Removes agents at once, running or not, kept or not. None is removed when one of the references is wrong. */
export async function destroyAgents(
  engine: Engine,
  proxy: ProxyOptions,
  choice: AgentChoice,
  tell: TellGone,
): Promise<StoppedAgent[]> {
  return endAll(choose(await engine.listAgents(), choice), tell, async (agent) => {
    const { containerId, runId, services } = agent
    await engine.remove(containerId)
    if (services) await removeServicesOf(engine, [runId])
    await withdrawn([agent], proxy)
    await forget(agent, proxy)
    return true
  })
}

function choose({ agents, unsealed }: AgentList, choice: AgentChoice): Agent[] {
  if (choice === 'all') return [...agents]
  return [...new Set(choice.map((reference) => findAgent(agents, reference, unsealed)))]
}

/** Ends them all at the same time, by what resolves with true for one that is gone; rejects at last if one would not end. */
async function endAll(
  agents: readonly Agent[],
  tell: TellGone,
  end: (agent: Agent) => Promise<boolean>,
): Promise<StoppedAgent[]> {
  const outcomes = await Promise.allSettled(agents.map(async (agent) => ({ agent, gone: await end(agent) })))
  const ended = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  for (const { agent, gone } of ended) if (gone) await tell(agent)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return ended.map(({ agent: { name, runId } }) => ({ name, runId }))
}

/** What was made for its container, which runs no more. A supervisor does so too, if it has seen the agent: one that was started since has not. */
async function forget({ runId }: Agent, { paths }: ProxyOptions): Promise<void> {
  await Promise.all([removeAgentDirectory(paths, runId).catch(() => {}), removeLiveRules(paths, runId).catch(() => {})])
}

/**
 * Resolves when the agents' routes are gone too; a Caddy without a supervisor is given one that sees to it. A proxy that is
 * in trouble is a note: the agents are gone all the same, and so will their routes be once the proxy is well.
 */
async function withdrawn(agents: readonly Agent[], proxy: ProxyOptions): Promise<void> {
  if (!agents.some(usesProxy)) return
  try {
    const { controlSocket } = proxy.paths
    if (!(await syncRoutes(controlSocket)) && (await findProxy(proxy))) await syncRoutes(controlSocket)
  } catch (error) {
    process.stderr.write(`Note: the proxy could not be told about it: ${messageOf(error)}\n`)
  }
}
