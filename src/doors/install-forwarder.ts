// Owns the forwarder's program: the one for a processor, and the copy of it that each agent has.
import { constants } from 'node:fs'
import { access, chmod, copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MoatPaths } from '../config/paths.js'
import { systemCode } from '../errors.js'
import { makeAgentDirectory, removeAgentDirectory } from './agent-directory.js'

const programs = fileURLToPath(new URL('../../forwarder', import.meta.url))
/** Its name in an agent's directory. */
export const forwarderName = 'forward'
/** Processors as Go and engines name them, by what Node calls them. */
const architectures: Partial<Record<NodeJS.Architecture, string>> = { arm64: 'arm64', x64: 'amd64' }

/** The program for containers and, on Linux, for this machine. `architecture` as Go names it: `amd64`, `arm64`. */
export function forwarderBinary(architecture = architectures[process.arch] ?? process.arch): string {
  return join(programs, `linux-${architecture}`)
}

/**
 * Makes the directory of a run with a copy of the program in it: the container is started again whatever becomes of this
 * installation meanwhile. Why not, in words, or undefined.
 */
export async function installForwarder(
  paths: Pick<MoatPaths, 'agents'>,
  runId: string,
  architecture?: string,
): Promise<string | undefined> {
  const path = join(await makeAgentDirectory(paths, runId), forwarderName)
  try {
    await copyFile(forwarderBinary(architecture), path)
    await chmod(path, 0o755)
    await access(path, constants.X_OK)
    return undefined
  } catch (error) {
    await removeAgentDirectory(paths, runId)
    if (systemCode(error) === 'ENOENT') return `moat has no forwarder for the processor of its image, ${architecture}`
    if (systemCode(error) === 'EACCES') return `nothing may be run from the file system of ${paths.agents} (noexec)`
    throw error
  }
}
