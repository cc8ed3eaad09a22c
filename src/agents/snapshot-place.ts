// Owns which workspace a person means by an agent or a path, for its snapshots.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { realPlace } from '../config/real-path.js'
import { resolveWorkspace } from '../config/workspace.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import { reviewableRuns } from '../review/review.js'
import { type RunRecord, readRunRecord } from '../review/run-records.js'
import { openStore } from '../snapshots/snapshots.js'
import type { SnapshotStore } from '../snapshots/store.js'
import { findAgent } from './find-agent.js'

export interface SnapshotPlaceOptions {
  /** Asked only where `target` may be the name of an agent. */
  engine: () => Promise<Pick<Engine, 'listAgents'>>
  paths: Pick<MoatPaths, 'home' | 'reviews' | 'snapshots'>
  /** `create` needs the directory; its snapshots outlive it. */
  there: boolean
}

/** `target` is the name or run id of an agent, which may have ended, or a directory: this one by default. */
export async function snapshotPlace(target: string | undefined, options: SnapshotPlaceOptions): Promise<SnapshotStore> {
  const { paths, there } = options
  const workspace = isPath(target) ? undefined : await workspaceOf(target, options)
  const path = resolve(workspace ?? target ?? '.')
  return openStore(paths, there || existsSync(path) ? await resolveWorkspace(path) : await realPlace(path))
}

function isPath(target: string | undefined): target is undefined {
  return target === undefined || target === '.' || target === '..' || target.includes('/')
}

/** Undefined for a directory of that name, where no agent has it. */
async function workspaceOf(reference: string, { engine, paths }: SnapshotPlaceOptions): Promise<string | undefined> {
  const runs = await reviewableRuns(paths)
  try {
    const { agents, unsealed } = await (await engine()).listAgents()
    const { clone, name, workspace } = findAgent(agents, reference, unsealed)
    if (clone !== undefined) throw inClone(name)
    return workspace
  } catch (error) {
    const code = error instanceof MoatError ? error.code : undefined
    const ended = runs.find(({ name, runId }) => name === reference || runId === reference)
    if ((code === 'AGENT_NOT_FOUND' || code === 'ENGINE_UNREACHABLE') && ended)
      return workspaceOfRecord(await readRunRecord(ended.file))
    if ((code === 'AGENT_NOT_FOUND' || code === 'ENGINE_UNREACHABLE') && existsSync(reference)) return undefined
    throw error
  }
}

function workspaceOfRecord({ clone, name, workspace }: RunRecord): string {
  if (clone) throw inClone(name)
  return workspace
}

function inClone(name: string): MoatError {
  return new MoatError('SNAPSHOT_MISSING', `${name} works in a clone of its own, of which there are no snapshots.`, {
    exit: exitCodes.usage,
    suggestions: [`moat pull ${name}`, 'moat snapshot list <directory>'],
  })
}
