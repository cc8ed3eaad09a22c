// Owns reading how containers ended: the engine's list does not say it.
import { isDeepStrictEqual } from 'node:util'
import type Docker from 'dockerode'
import { type Agent, hasEnded } from '../routing/agent.js'
import type { AgentEnd } from '../routing/agent-end.js'

/** How long what was read is taken to be so: a container that was started and has ended again looks the same. Milliseconds. */
const trustedFor = 5_000

export interface AgentEndsOptions {
  docker: Pick<Docker, 'getContainer'>
  /** The exit code as a shell has it. */
  shellCode: (containerId: string, code: number) => Promise<number>
}

export class AgentEnds {
  readonly #ended = new WeakMap<Agent, Agent>()
  readonly #known = new Map<string, { end: Promise<AgentEnd | undefined>; readAt: number }>()
  readonly #options: AgentEndsOptions

  constructor(options: AgentEndsOptions) {
    this.#options = options
  }

  /** The agents, with their ends where they have ended. */
  async added(agents: readonly Agent[]): Promise<Agent[]> {
    const ended = new Set(agents.filter(hasEnded).map(({ containerId }) => containerId))
    for (const id of this.#known.keys()) if (!ended.has(id)) this.#known.delete(id)
    if (ended.size === 0) return [...agents]
    return Promise.all(
      agents.map(async (agent) => {
        const end = ended.has(agent.containerId) ? await this.#remembered(agent.containerId) : undefined
        return end ? this.#withEnd(agent, end) : agent
      }),
    )
  }

  /** The same object for the same two: who compares lists of agents sees what is new. */
  #withEnd(agent: Agent, end: AgentEnd): Agent {
    const before = this.#ended.get(agent)
    if (before && isDeepStrictEqual(before.end, end)) return before
    const ended = { ...agent, end }
    this.#ended.set(agent, ended)
    return ended
  }

  /** Undefined for a container that has not ended, cannot be read or is gone. */
  async of(containerId: string): Promise<AgentEnd | undefined> {
    const { docker, shellCode } = this.#options
    try {
      const { HostConfig, State } = await docker.getContainer(containerId).inspect()
      if (State.Status !== 'exited' && State.Status !== 'dead') return undefined
      return {
        at: new Date(State.FinishedAt).toISOString(),
        exitCode: await shellCode(containerId, State.ExitCode),
        ...(State.OOMKilled && { outOfMemory: HostConfig.Memory ?? 0 }),
      }
    } catch {
      return undefined
    }
  }

  #remembered(containerId: string): Promise<AgentEnd | undefined> {
    const known = this.#known.get(containerId)
    if (known && performance.now() - known.readAt < trustedFor) return known.end
    const end = this.of(containerId)
    this.#known.set(containerId, { end, readAt: performance.now() })
    // Its end may have been told before it can be read.
    void end.then((found) => found ?? this.#known.delete(containerId))
    return end
  }
}
