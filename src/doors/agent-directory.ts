// Owns the directory that an agent's container shares with the proxy.
import { execFile } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
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
 * Absent is fine. By programs, which do not follow links: a container may have left any number of files, and directories that
 * are closed to everybody or deeper than any path is long. The doorkeeper may be making its socket there meanwhile.
 */
export async function removeAgentDirectory(paths: Paths, runId: string): Promise<void> {
  const directory = agentDirectory(paths, runId)
  const run = promisify(execFile)
  const remove = () => run('rm', ['-rf', directory])
  await remove().catch(async () => {
    await run('chmod', ['-R', 'u+rwx', directory]).catch(() => {})
    await remove()
  })
}
