// Owns what a tree of files is to a snapshot: its entries by their raw paths, and what it leaves alone. Pure.

/** A file, a link or a directory. */
export interface Entry {
  /** Of its content; of where a link leads. Absent for a directory. */
  id?: string
  kind: 'directory' | 'file' | 'link'
  /** Without the bits by which a file lends its owner's rights. 0 for a link. */
  mode: number
}

export interface Tree {
  /** By path, relative to the workspace. */
  entries: ReadonlyMap<string, Entry>
  /** What is neither kept nor ever touched, though git does not ignore it, and why. */
  left: ReadonlyMap<string, string>
}

/** Set-user-id and set-group-id of a file are not kept: what is restored belongs to who restores it. */
export function keptMode(kind: Entry['kind'], mode: number): number {
  if (kind === 'link') return 0
  return mode & (kind === 'directory' ? 0o7777 : 0o1777)
}

export function isSame(one: Entry | undefined, other: Entry | undefined): boolean {
  return one?.kind === other?.kind && one?.mode === other?.mode && one?.id === other?.id
}

export interface Change {
  change: 'added' | 'changed' | 'removed'
  path: string
}

/** What `to` has otherwise than `from`, by path. A directory is named only where nothing in it is. */
export function changesBetween(from: Pick<Tree, 'entries'>, to: Pick<Tree, 'entries'>): Change[] {
  const changes: Change[] = []
  for (const [path, entry] of from.entries) {
    const now = to.entries.get(path)
    if (!now) changes.push({ change: 'removed', path })
    else if (!isSame(entry, now)) changes.push({ change: 'changed', path })
  }
  for (const path of to.entries.keys()) if (!from.entries.has(path)) changes.push({ change: 'added', path })
  const kinds = ({ change, path }: Change) => (change === 'added' ? to : from).entries.get(path)?.kind
  const parents = new Set(
    changes.flatMap(({ change, path }) => parentsOf(path).map((parent) => `${change}\0${parent}`)),
  )
  return changes
    .filter(
      (change) =>
        kinds(change) !== 'directory' ||
        change.change === 'changed' ||
        !parents.has(`${change.change}\0${change.path}`),
    )
    .toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

/** The directories a path lies in, the outermost first. */
export function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) parents.push(path.slice(0, end))
  return parents
}
