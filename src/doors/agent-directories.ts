// Owns the directories that agents' containers share with the proxy: there before a container is, gone with their agents.
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { agentDirectory, type MoatPaths, wayInDirectory } from '../config/paths.js'
import type { Agent } from '../routing/agent.js'

/** A directory this old, without a container, is left from a run that was killed before it made one. Milliseconds. */
const abandonedAfter = 600_000

type Paths = Pick<MoatPaths, 'agents'>

/**
 * The agent's own, for its container to see, and within it the one that its container writes. Users there may be others than
 * the one who runs moat; the directory above keeps other users of this machine out.
 */
export async function makeAgentDirectory(paths: Paths, runId: string): Promise<string> {
  const directory = agentDirectory(paths, runId)
  await mkdir(paths.agents, { mode: 0o700, recursive: true })
  await mkdir(directory, { recursive: true })
  await chmod(directory, 0o755)
  await mkdir(wayInDirectory(paths, runId), { mode: 0o700, recursive: true })
  return directory
}

/** Absent is fine. */
export async function removeAgentDirectory(paths: Paths, runId: string): Promise<void> {
  await rm(agentDirectory(paths, runId), { force: true, recursive: true })
}

/** Removes the directories of agents that are gone. One whose container is just being made is left alone. */
export class AgentDirectories {
  readonly #paths: Paths
  readonly #seen = new Set<string>()

  constructor(paths: Paths) {
    this.#paths = paths
  }

  /** `agents` are all that the engine has, whatever their state: one that has ended may be started again. */
  async sweep(agents: readonly Pick<Agent, 'runId'>[]): Promise<void> {
    const present = new Set(agents.map(({ runId }) => runId))
    for (const runId of present) this.#seen.add(runId)
    const found = await readdir(this.#paths.agents).catch(() => [])
    for (const runId of found) {
      if (present.has(runId) || !(this.#seen.has(runId) || (await this.#isAbandoned(runId)))) continue
      await removeAgentDirectory(this.#paths, runId)
      this.#seen.delete(runId)
    }
  }

  async #isAbandoned(runId: string): Promise<boolean> {
    const found = await stat(agentDirectory(this.#paths, runId)).catch(() => undefined)
    return found !== undefined && Date.now() - found.mtimeMs > abandonedAfter
  }
}
