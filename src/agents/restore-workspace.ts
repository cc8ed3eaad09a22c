// Owns a restore under agents that may be at work there: they are held still while it lasts.
import { dirname, join } from 'node:path'
import { shownName } from '../config/raw-name.js'
import type { Engine } from '../engine/engine.js'
import { type Restored, restoreSnapshot } from '../snapshots/restore.js'
import type { SnapshotStore, StoredSnapshot } from '../snapshots/store.js'

export interface RestoreOptions {
  /** Undefined where none answers: then no agent runs. */
  engine: Pick<Engine, 'writers'> | undefined
  note: (line: string) => void
  /** Raw paths that are to be changed, as they were seen before. */
  paths: readonly string[]
  retention: number
}

/** Milliseconds. */
const longest = 20 * 60_000

/** With how many agents were paused meanwhile. */
export async function restoreWorkspace(
  store: SnapshotStore,
  snapshot: StoredSnapshot,
  { engine, note, paths, retention }: RestoreOptions,
): Promise<Restored & { paused: number }> {
  let paused = 0
  // An agent may have only a directory of the workspace.
  const directories = new Set(['.', ...paths.map((path) => dirname(shownName(path)))])
  const held = [...directories].map((directory) => join(store.workspace, directory, '.moat-restore'))
  const onHeld = (agents: number) => {
    paused = agents
    note(agents === 1 ? 'Paused the agent that works there.' : `Paused the ${agents} agents that work there.`)
  }
  const as = { limit: longest, onHeld: (agents: number) => agents > 0 && onHeld(agents), what: 'A restore was at work' }
  const restored = await restoreSnapshot(store, snapshot, {
    onWait: () => note('Waiting for another moat that takes a snapshot here.'),
    retention,
    ...(engine && { whileHeld: (action) => engine.writers.whileHeld(held, note, action, as) }),
  })
  return { ...restored, paused }
}
