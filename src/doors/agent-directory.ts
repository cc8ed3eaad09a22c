// Owns the directory that an agent's container shares with the proxy.
import { execFile } from 'node:child_process'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
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

/**
 * Absent is fine. A container may have left directories that are closed to everybody, or deeper than any path is long; and the
 * doorkeeper may be making its socket there meanwhile.
 */
export async function removeAgentDirectory(paths: Paths, runId: string): Promise<void> {
  const directory = agentDirectory(paths, runId)
  try {
    await rm(directory, { force: true, recursive: true })
  } catch {
    const run = promisify(execFile)
    // Neither of them follows links.
    await run('chmod', ['-R', 'u+rwx', directory]).catch(() => {})
    await run('rm', ['-rf', directory])
  }
}
