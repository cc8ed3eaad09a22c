// Owns looking through a workspace for a snapshot: what git would not ignore, with its content. An agent has written it and may be
// writing it now: directories are held open, nothing is followed, nothing is waited for.
import { readlinkSync, type Stats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { HeldDirectory } from '../config/held-directory.js'
import { MoatError, messageOf, systemCode } from '../errors.js'
import { ownPatterns, readPlain } from '../worktrees/ignore-file.js'
import type { IgnoreRules } from '../worktrees/ignore-rules.js'
import { type SnapshotLimits, tooLarge } from './limits.js'
import { contentId } from './object-id.js'
import { type Entry, keptMode, parentsOf, type Tree } from './tree.js'

export interface ScannedEntry extends Entry {
  /** What tells, with the times, whether a file is still the same without reading it. */
  size: number
  /** The system's own: nobody sets it. -1 where a change could follow that it does not tell of. */
  changedMs: number
  inode: number
  modifiedMs: number
}

export interface Scanned extends Tree {
  entries: Map<string, ScannedEntry>
  left: Map<string, string>
}

export interface ScanOptions {
  /** Raw paths that are looked at whatever the rules say. */
  also: ReadonlySet<string>
  /** What the last scan has found. */
  known: ReadonlyMap<string, ScannedEntry>
  limits: SnapshotLimits
  /** Where content goes that was not known; resolves once more may follow. Absent where none is to be read, and nothing has an id. */
  store?: (id: string, content: Buffer) => Promise<void> | undefined
  rules: IgnoreRules
  workspace: string
}

/** Entries between two chances for others. */
const breath = 2_000
/** A file system may give one time to changes that lie this far apart. Milliseconds. */
const sameTime = 50
/** Each is held open while what lies in it is looked at. */
const mostDeep = 200

export async function scan(options: ScanOptions): Promise<Scanned> {
  const walk = new Walk(options)
  const root = HeldDirectory.open(options.workspace)
  try {
    await walk.directory(root, '', options.rules, false)
  } finally {
    root.close()
  }
  return walk.found
}

class Walk {
  readonly found: Scanned = { entries: new Map(), left: new Map() }
  #bytes = 0
  readonly #options: ScanOptions
  /** Ignored ones too. */
  #seen = 0
  readonly #startedMs = Date.now()
  #wanted: ReadonlySet<string> | undefined

  constructor(options: ScanOptions) {
    this.#options = options
  }

  async directory(held: HeldDirectory, path: string, outer: IgnoreRules, ignored: boolean): Promise<void> {
    const names = held.names()
    const rules = names.includes('.gitignore') ? outer.within(path, ownPatterns(held)) : outer
    for (const name of names) {
      // In any case of letters: git takes none of them into a tree.
      if (name.length === 4 && /^\.git$/i.test(name)) {
        if (name !== '.git') this.found.left.set(below(path, name), 'git takes it for its own')
        continue
      }
      await this.#entry(held, name, below(path, name), rules, ignored)
    }
  }

  async #entry(held: HeldDirectory, name: string, path: string, rules: IgnoreRules, inIgnored: boolean): Promise<void> {
    try {
      const stats = held.stats(name)
      if (!stats) return
      const isDirectory = stats.isDirectory()
      const ignored = inIgnored || rules.ignores(path, isDirectory)
      if (ignored && !this.#isWanted(path, isDirectory)) return await this.#count()
      if (isDirectory) await this.#inner(held, name, path, stats, rules, ignored)
      else if (stats.isFile() || stats.isSymbolicLink()) {
        const work = this.#content(held, name, path, stats)
        if (work) await work
      } else if (!ignored) this.found.left.set(path, specialKind(stats))
    } catch (error) {
      const code = systemCode(error)
      if (code === undefined || error instanceof MoatError) throw error
      // Gone, or something else was put in its place: as if it had been so before.
      if (code !== 'ENOENT' && code !== 'ENXIO') this.found.left.set(path, `it cannot be read (${messageOf(code)})`)
    }
    await this.#count()
  }

  /** True for what is looked at whatever the rules say, and for directories with such in them. */
  #isWanted(path: string, isDirectory: boolean): boolean {
    const { also } = this.#options
    if (!isDirectory) return also.has(path)
    this.#wanted ??= new Set([...also].flatMap(parentsOf))
    return also.has(path) || this.#wanted.has(path)
  }

  async #inner(
    held: HeldDirectory,
    name: string,
    path: string,
    stats: Stats,
    rules: IgnoreRules,
    ignored: boolean,
  ): Promise<void> {
    if (path.split('/').length > mostDeep) {
      this.found.left.set(path, `it lies more than ${mostDeep} directories deep`)
      return
    }
    const inner = held.child(name)
    try {
      if (!ignored) this.#add(path, 'directory', stats)
      await this.directory(inner, path, rules, ignored)
    } finally {
      inner.close()
    }
  }

  /** A promise only where there is something to wait for. */
  #content(held: HeldDirectory, name: string, path: string, stats: Stats): Promise<void> | undefined {
    const known = this.#options.known.get(path)
    const kind = stats.isFile() ? 'file' : 'link'
    if (known?.id !== undefined && known.kind === kind && isUntouched(known, stats)) {
      this.found.entries.set(path, known)
      return undefined
    }
    if (stats.size > this.#options.limits.file) {
      this.found.left.set(path, `it has more than ${this.#options.limits.file / 1024 ** 2} MiB`)
      return undefined
    }
    const { store } = this.#options
    if (!store) {
      this.#add(path, kind, stats)
      return undefined
    }
    const read = kind === 'file' ? readPlain(held, name) : readLink(held, name, stats)
    if (!read) return undefined
    const id = contentId(read.content)
    this.#add(path, kind, read.stats, id)
    this.#bytes += read.content.length
    return store(id, read.content)
  }

  #add(path: string, kind: Entry['kind'], stats: Stats, id?: string): void {
    // What was not read is not known by it later.
    const settled = !this.#options.store || stats.ctimeMs < this.#startedMs - sameTime
    const entry: ScannedEntry = {
      changedMs: settled ? stats.ctimeMs : -1,
      inode: stats.ino,
      kind,
      mode: keptMode(kind, stats.mode),
      modifiedMs: stats.mtimeMs,
      size: stats.size,
    }
    if (id !== undefined) entry.id = id
    this.found.entries.set(path, entry)
  }

  async #count(): Promise<void> {
    const { bytes, entries, time } = this.#options.limits
    const { size } = this.found.entries
    if (size > entries) throw tooLarge(`it has more than ${entries} files that git does not ignore`)
    if (this.#bytes > bytes) throw tooLarge(`more than ${bytes / 1024 ** 3} GiB of it are new`)
    if (Date.now() - this.#startedMs > time) throw tooLarge(`to read it takes more than ${time / 1000} seconds`)
    this.#seen += 1
    if (this.#seen % breath === 0) await setImmediate()
  }
}

function isUntouched(known: ScannedEntry, stats: Stats): boolean {
  return (
    known.changedMs === stats.ctimeMs &&
    known.modifiedMs === stats.mtimeMs &&
    known.size === stats.size &&
    known.inode === stats.ino
  )
}

function readLink(held: HeldDirectory, name: string, stats: Stats): { content: Buffer; stats: Stats } {
  return { content: readlinkSync(held.at(name), { encoding: 'buffer' }), stats }
}

function specialKind(stats: Stats): string {
  if (stats.isFIFO()) return 'a pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}

function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
