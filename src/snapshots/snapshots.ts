// Owns the face of snapshots: what a workspace was like at times, taken, listed, compared and dropped. docs/decisions/0039 has the reasons.

import type { MoatPaths } from '../config/paths.js'
import { shownName } from '../config/raw-name.js'
import { contains, realPlace } from '../config/real-path.js'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { findCheckout } from '../worktrees/find-checkout.js'
import { findMainCheckout } from '../worktrees/git-place.js'
import type { IgnoreRules } from '../worktrees/ignore-rules.js'
import { workspaceGit } from '../worktrees/workspace-git.js'
import type { SnapshotLimits } from './limits.js'
import { snapshotTree } from './read-snapshot.js'
import { surplus, surplusOfEach, usualRetention } from './retention.js'
import { type Scanned, scan } from './scan.js'
import { isKnown, isSameTree, readKnownScan, writeKnownScan } from './stat-cache.js'
import { type Snapshot, type SnapshotNote, SnapshotStore, type StoredSnapshot } from './store.js'
import type { Tree } from './tree.js'
import { TreeWriter } from './write-tree.js'

export interface TakeOptions extends Pick<SnapshotNote, 'agent' | 'reason' | 'runId'> {
  /** Raw paths that are kept whatever is ignored now. */
  also?: Iterable<string>
  /** Number of one that is not dropped. */
  keep?: number
  limits: SnapshotLimits
  /** Called if another moat is at work in the store. */
  onWait?: () => void
  retention?: number
}

export interface Taken {
  dropped: Snapshot[]
  /** Those that held above the workspace. */
  rules: IgnoreRules
  scanned: Scanned
  snapshot: StoredSnapshot
}

/** Where the snapshots of a workspace are. `workspace` is a real path, of a directory that need not exist any more. */
export async function openStore(
  { home, snapshots }: Pick<MoatPaths, 'home' | 'snapshots'>,
  workspace: string,
): Promise<SnapshotStore> {
  await assertNotHome(workspace, home)
  return SnapshotStore.of(snapshots, workspace, async () => {
    try {
      const place = (await findCheckout(workspace)) ?? (await findMainCheckout(workspace))
      return place?.commonDir ?? workspace
    } catch {
      return workspace
    }
  })
}

/** Takes a snapshot of the workspace as it is now. */
export async function takeSnapshot(store: SnapshotStore, options: TakeOptions): Promise<Taken> {
  return store.locked(() => takeLocked(store, options), options.onWait)
}

/** The same, but none where nothing has changed since the last. */
export async function takeIfChanged(store: SnapshotStore, options: TakeOptions): Promise<Taken | undefined> {
  return store.locked(async () => {
    const looked = await look(store, options)
    if (!isSameTree(looked.known, looked.scanned)) return keepWhatIs(store, options, looked)
    await looked.writer.abandon()
    return undefined
  }, options.onWait)
}

/** Takes one for who has the store's lock. */
export async function takeLocked(store: SnapshotStore, options: TakeOptions): Promise<Taken> {
  return keepWhatIs(store, options, await look(store, options))
}

/** What is there now; its content is on its way into the store. */
async function look(store: SnapshotStore, { also = [], limits }: TakeOptions) {
  const [before, git] = await Promise.all([store.list(), workspaceGit(store.workspace)])
  const known = await readKnownScan(store, before)
  const writer = new TreeWriter(store)
  try {
    const scanned = await scan({
      also: new Set([...git.tracked, ...also]),
      known: known?.entries ?? new Map(),
      limits,
      rules: git.rules,
      store: (content, bytes) => writer.content(content, bytes),
      workspace: store.workspace,
    })
    return { before, known, rules: git.rules, scanned, writer }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

async function keepWhatIs(
  store: SnapshotStore,
  { agent, keep, reason, retention = usualRetention, runId }: TakeOptions,
  { before, known, rules, scanned, writer }: Awaited<ReturnType<typeof look>>,
): Promise<Taken> {
  const note: SnapshotNote = {
    ...(agent !== undefined && { agent }),
    createdAt: new Date().toISOString(),
    files: fileCount(scanned),
    left: scanned.left.size,
    reason,
    ...(runId !== undefined && { runId }),
    workspace: store.workspace,
  }
  const id = (before.at(-1)?.id ?? 0) + 1
  const same = isKnown(known, scanned)
  let snapshot: StoredSnapshot
  try {
    snapshot = await writer.commit(id, note, same ? 'same' : scanned, known && { known, snapshot: known.snapshot })
  } catch (error) {
    await writer.abandon()
    throw error
  }
  if (!same) await writeKnownScan(store, snapshot, scanned)
  const kept = [...before, snapshot].filter((candidate) => candidate.id !== keep)
  return { dropped: await dropSurplus(store, kept, retention), rules, scanned, snapshot }
}

async function dropSurplus(
  store: SnapshotStore,
  all: readonly StoredSnapshot[],
  retention: number,
): Promise<Snapshot[]> {
  const dropped = surplusOfEach(all, retention)
  await store.drop(dropped)
  if (await store.isUntidy()) await store.tidy()
  return dropped
}

/** Drops what is more than `keep`, or all, and frees the room it took. */
export async function pruneSnapshots(store: SnapshotStore, keep: number): Promise<Snapshot[]> {
  if (!(await store.exists())) return []
  return store.locked(async () => {
    const all = await store.list()
    const dropped = keep === 0 ? all : surplus(all, keep)
    await store.drop(dropped)
    await store.tidy()
    return dropped
  })
}

/** The snapshot of that number; the latest without one. Throws SNAPSHOT_MISSING. */
export async function chosenSnapshot(store: SnapshotStore, id: number | undefined): Promise<StoredSnapshot> {
  const all = await store.list()
  const found = id === undefined ? all.at(-1) : all.find((candidate) => candidate.id === id)
  if (found) return found
  const where = shellQuote(store.workspace)
  const message =
    all.length === 0
      ? `There is no snapshot of ${store.workspace}.`
      : `There is no snapshot ${id} of ${store.workspace}.`
  const suggestions = [all.length === 0 ? `moat snapshot create ${where}` : `moat snapshot list ${where}`]
  throw new MoatError('SNAPSHOT_MISSING', message, { exit: exitCodes.usage, suggestions })
}

export function treeOf(store: SnapshotStore, snapshot: StoredSnapshot): Promise<Tree> {
  return snapshotTree(store, snapshot)
}

/** What is left alone, for a person. */
export function leftPaths({ left }: Tree): { path: string; why: string }[] {
  return [...left].map(([path, why]) => ({ path: shownName(path), why }))
}

function fileCount({ entries }: Tree): number {
  let count = 0
  for (const { kind } of entries.values()) if (kind !== 'directory') count += 1
  return count
}

/** It would keep the keys that are in there, and a restore could bring back old ones. */
async function assertNotHome(workspace: string, home: string): Promise<void> {
  const own = await realPlace(home)
  const isOwn = contains(own, workspace) && !contains(`${own}/worktrees`, workspace)
  if (!isOwn && !contains(workspace, own)) return
  throw new MoatError(
    'MOAT_HOME_EXPOSED',
    `${workspace} has moat's own files in it, or is one of them, so there are no snapshots of it.`,
    {
      exit: exitCodes.usage,
      suggestions: ['moat snapshot create <a directory of its own>'],
    },
  )
}
