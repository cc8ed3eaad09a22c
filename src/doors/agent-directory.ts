// Owns the directory that an agent's container shares with the proxy.
import { chmod, mkdir, rm } from 'node:fs/promises'
import { agentDirectory, type MoatPaths, wayInDirectory } from '../config/paths.js'

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
