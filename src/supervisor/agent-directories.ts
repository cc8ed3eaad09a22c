// Owns the directories in which Caddy listens for containers: there before Caddy needs them, gone with their agents.
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { agentDirectory, agentSocket, type MoatPaths } from '../config/paths.js'
import type { Agent } from '../routing/agent.js'
import type { AgentSocket } from '../routing/route-table.js'

/** A directory this old, without a container, is left from a run that was killed before it made one. Milliseconds. */
const abandonedAfter = 600_000

type Paths = Pick<MoatPaths, 'agents'>

/**
 * The agent's own, for its container to see. Users there may be others than the one who runs moat; the directory above
 * keeps other users of this machine out.
 */
export async function makeAgentDirectory(paths: Paths, runId: string): Promise<string> {
  const directory = agentDirectory(paths, runId)
  await mkdir(paths.agents, { mode: 0o700, recursive: true })
  await mkdir(directory, { recursive: true })
  await chmod(directory, 0o755)
  return directory
}

/** Absent is fine. */
export async function removeAgentDirectory(paths: Paths, runId: string): Promise<void> {
  await rm(agentDirectory(paths, runId), { force: true, recursive: true })
}

/**
 * Before Caddy is told of these sockets, and of no others: it refuses a whole config that has one in a directory that is
 * not there. One that it no longer listens on goes first. Caddy leaves it behind, and with it, until its garbage collector
 * comes by, a queue in which a container that is started again would wait for nobody.
 */
export async function prepareAgentDirectories(paths: Paths, sockets: readonly AgentSocket[]): Promise<void> {
  const wanted = new Set(sockets.map(({ runId }) => runId))
  for (const runId of await readdir(paths.agents).catch(() => [])) {
    if (!wanted.has(runId)) await rm(agentSocket(paths, runId), { force: true })
  }
  for (const runId of wanted) await makeAgentDirectory(paths, runId)
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
