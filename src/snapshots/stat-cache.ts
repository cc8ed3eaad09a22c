// Owns what a scan has found, for the next one: files that nobody has touched since are not read again. A derived file: one that is
// broken is made anew.
import { readFile } from 'node:fs/promises'
import { replaceFile } from '../config/replace-file.js'
import type { Scanned, ScannedEntry } from './scan.js'
import type { SnapshotStore, StoredSnapshot } from './store.js'
import { type Entry, isSame } from './tree.js'

export interface KnownScan {
  entries: ReadonlyMap<string, ScannedEntry>
  left: ReadonlyMap<string, string>
  /** One whose tree it is: what is the same is in the store. */
  snapshot: StoredSnapshot
}

type Row = [
  path: string,
  kind: Entry['kind'],
  mode: number,
  size: number,
  changedMs: number,
  modifiedMs: number,
  inode: number,
  id?: string,
]

interface Known {
  left: [path: string, why: string][]
  rows: Row[]
  tree: string
}

/** Undefined where there is none, or one of a snapshot that is dropped: its files may be gone from the store. */
export async function readKnownScan(
  store: SnapshotStore,
  snapshots: readonly StoredSnapshot[],
): Promise<KnownScan | undefined> {
  try {
    const { left, rows, tree } = JSON.parse(await readFile(store.statFile, 'utf8')) as Known
    const snapshot = snapshots.find((candidate) => candidate.tree === tree)
    if (!snapshot) return undefined
    const entries = new Map<string, ScannedEntry>()
    for (const [path, kind, mode, size, changedMs, modifiedMs, inode, id] of rows) {
      entries.set(path, { changedMs, ...(id !== undefined && { id }), inode, kind, mode, modifiedMs, size })
    }
    return { entries, left: new Map(left), snapshot }
  } catch {
    return undefined
  }
}

export async function writeKnownScan(
  store: SnapshotStore,
  { tree }: StoredSnapshot,
  { entries, left }: Scanned,
): Promise<void> {
  const rows = [...entries].map(([path, { changedMs, id, inode, kind, mode, modifiedMs, size }]): Row => {
    const row: Row = [path, kind, mode, size, changedMs, modifiedMs, inode]
    if (id !== undefined) row.push(id)
    return row
  })
  await replaceFile(store.statFile, JSON.stringify({ left: [...left], rows, tree } satisfies Known), 0o600)
}

/** True when nothing of it has to be written again. */
export function isKnown(known: KnownScan | undefined, scanned: Scanned): known is KnownScan {
  return isEach(known, scanned, (own, entry) => {
    if (own.changedMs !== entry.changedMs || own.inode !== entry.inode || own.mode !== entry.mode) return false
    return own.id === entry.id && own.kind === entry.kind
  })
}

/** True when a snapshot of it would say nothing new. */
export function isSameTree(known: KnownScan | undefined, scanned: Scanned): boolean {
  return isEach(known, scanned, isSame)
}

function isEach(
  known: KnownScan | undefined,
  { entries, left }: Scanned,
  compare: (own: ScannedEntry, entry: ScannedEntry) => boolean,
): boolean {
  if (known?.entries.size !== entries.size || known.left.size !== left.size) return false
  for (const [path, why] of left) if (known.left.get(path) !== why) return false
  for (const [path, entry] of entries) {
    const own = known.entries.get(path)
    if (own !== entry && (own === undefined || !compare(own, entry))) return false
  }
  return true
}
