// Owns the directories that agents' containers share with the proxy: there before a container is, gone with their agents.
import { readdir, stat } from 'node:fs/promises'
import { agentDirectory, type MoatPaths } from '../config/paths.js'
import { removeLiveRules } from '../egress/live-rules.js'
import { messageOf } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { removeAgentDirectory } from './agent-directory.js'
import { installForwarder } from './install-forwarder.js'

/** A directory this old, without a container, is left from a run that was killed before it made one. Milliseconds. */
const abandonedAfter = 600_000

type Paths = Pick<MoatPaths, 'agents' | 'proxy'>

/** An agent as far as its directory goes. */
export type SharingAgent = Pick<Agent, 'forwards' | 'runId' | 'wayIn'>

/** Removes the directories of agents that are gone. One whose container is just being made is left alone. */
export class AgentDirectories {
  readonly #log: (message: string) => void
  readonly #paths: Paths
  readonly #seen = new Set<string>()
  /** That could not be removed, which has been said. */
  readonly #stuck = new Set<string>()

  constructor(paths: Paths, log: (message: string) => void) {
    this.#log = log
    this.#paths = paths
  }

  /**
   * `agents` are all that the engine has, whatever their state: one that has ended may be started again, which an engine
   * refuses when a directory that it is to mount is not there. One that somebody deleted is made again.
   */
  async sweep(agents: readonly SharingAgent[]): Promise<void> {
    const present = new Set(agents.map(({ runId }) => runId))
    for (const runId of present) this.#seen.add(runId)
    // What another sweep sees meanwhile is not for this one, which does not know of it.
    const seen = new Set(this.#seen)
    const found = await readdir(this.#paths.agents).catch(() => [])
    const known = new Set(found)
    for (const { forwards, runId, wayIn } of agents) {
      if (!known.has(runId) && (forwards ?? wayIn) !== undefined) await installForwarder(this.#paths, runId)
    }
    for (const runId of found) {
      if (present.has(runId) || !(seen.has(runId) || (await this.#isAbandoned(runId)))) continue
      await this.#remove(runId)
    }
  }

  /** What one agent left behind is no trouble of the others'. */
  async #remove(runId: string): Promise<void> {
    try {
      await removeAgentDirectory(this.#paths, runId)
      await removeLiveRules(this.#paths, runId)
      this.#seen.delete(runId)
      this.#stuck.delete(runId)
    } catch (error) {
      if (!this.#stuck.has(runId)) this.#log(`cannot remove ${agentDirectory(this.#paths, runId)}: ${messageOf(error)}`)
      this.#stuck.add(runId)
    }
  }

  async #isAbandoned(runId: string): Promise<boolean> {
    const found = await stat(agentDirectory(this.#paths, runId)).catch(() => undefined)
    return found !== undefined && Date.now() - found.mtimeMs > abandonedAfter
  }
}
