// Owns what a restore would change. Ignored files stay, by the rules of then and of now, and so does what no snapshot could keep. Pure.
import type { Scanned } from './scan.js'
import { type Change, changesBetween, type Entry, parentsOf, type Tree } from './tree.js'

export interface RestorePlan {
  /** From how it is to how it was. */
  changes: Change[]
  /** Paths of the snapshot that cannot be restored, because of what is there now, and why. */
  blocked: Map<string, string>
  /** Pipes and sockets that lie where the snapshot has something. */
  inTheWay: string[]
  now: Scanned
  /** How it will be. */
  target: Pick<Tree, 'entries'>
}

/** `now` has been looked at with all paths of `then` among what is wanted. */
export function planRestore(
  then: Tree,
  now: Scanned,
  ignoredThen: (path: string, isDirectory: boolean) => boolean,
): RestorePlan {
  const target = new Map<string, Entry>()
  const [blocked, inTheWay] = [new Map<string, string>(), [] as string[]]
  for (const [path, entry] of then.entries) {
    const way = wayOf(now.left, path)
    if (way === undefined) target.set(path, entry)
    else if (way.path === path && /^a (pipe|socket)$/.test(way.why)) {
      inTheWay.push(path)
      target.set(path, entry)
    } else blocked.set(path, way.path === path ? way.why : `${way.path}: ${way.why}`)
  }
  for (const [path, entry] of now.entries) {
    if (target.has(path)) continue
    const stays = wayOf(then.left, path) !== undefined || ignoredThen(path, entry.kind === 'directory')
    // What it lies in has to stay a directory, and is not one in the snapshot: then it goes, as nothing was ignored there.
    if (stays && parentsOf(path).every((parent) => isDirectory(target.get(parent) ?? now.entries.get(parent)))) {
      target.set(path, entry)
    }
  }
  for (const path of [...target.keys()]) {
    for (const parent of parentsOf(path)) {
      const own = now.entries.get(parent)
      if (!target.has(parent) && own) target.set(parent, own)
    }
  }
  return { blocked, changes: changesBetween(now, { entries: target }), inTheWay, now, target: { entries: target } }
}

/** The path itself, or a directory it lies in, that is left alone. */
function wayOf(left: ReadonlyMap<string, string>, path: string): { path: string; why: string } | undefined {
  if (left.size === 0) return undefined
  for (const at of [path, ...parentsOf(path)]) {
    const why = left.get(at)
    if (why !== undefined) return { path: at, why }
  }
  return undefined
}

function isDirectory(entry: Entry | undefined): boolean {
  return entry === undefined || entry.kind === 'directory'
}
