// Owns sorting what an engine has listed, with the key that is there now.
import type { ContainerInfo } from 'dockerode'
import { sealKeyFile } from '../config/paths.js'
import type { AgentList } from './engine.js'
import { readSealKey } from './seal-key.js'
import type { Judged } from './sort-containers.js'

export interface SortOptions {
  /** Whose agents are looked for; without it there are none. */
  home: string | undefined
  /** What was made of them before. */
  known: Judged | undefined
  program: () => Promise<'docker' | 'podman'>
}

/** The key is read each time: it may have been made, or taken away, since. */
export async function sortListed(
  containers: readonly ContainerInfo[],
  { home, known, program }: SortOptions,
): Promise<AgentList> {
  if (home === undefined) return { agents: [], unreadable: [], unsealed: [] }
  // Loaded here: most that commands do with an engine is to one container that they have just made, or none.
  const [key, { sortContainers }] = await Promise.all([readSealKey(sealKeyFile(home)), import('./sort-containers.js')])
  const sorted = sortContainers(containers, { home, key }, 'docker', known)
  if (sorted.unsealed.length === 0) return sorted
  // What the engine is called is asked only now: most lists need no command.
  return sortContainers(containers, { home, key }, await program(), known)
}
