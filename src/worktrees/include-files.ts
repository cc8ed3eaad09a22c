// Owns bringing files that git ignores into a worktree, which git leaves without them: those that `.worktreeinclude` lists. An agent
// may have written either side: directories are held open, no link is followed, nothing is written over.
import {
  closeSync,
  constants,
  fchmodSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { HeldDirectory } from '../config/held-directory.js'
import { openInside, readWhole } from '../config/open-inside.js'
import { rawName, shownName, systemName } from '../config/raw-name.js'
import { contains } from '../config/real-path.js'
import { messageOf, systemCode } from '../errors.js'
import { ownPatterns, readPlain } from './ignore-file.js'
import { IgnoreRules } from './ignore-rules.js'
import { workspaceGit } from './workspace-git.js'

export interface IncludeRequest {
  /** The top of the checkout that files come from, and of the one that lacks them. Real paths. */
  from: string
  /** Patterns that were typed. */
  patterns: readonly string[]
  to: string
  /** Heed the file too: of a new worktree. */
  withFile: boolean
}

export interface Included {
  copied: string[]
  /** What is listed, and the worktree has already. */
  kept: string[]
  /** What was listed and is not there, and why. */
  refused: { path: string; why: string }[]
}

const fileName = '.worktreeinclude'
/** Bytes. */
const mostListed = 1024 * 1024
const mostOfOne = 512 * 1024 * 1024
/** Files, links and directories that are looked at. */
const mostEntries = 500_000
const breath = 500

export async function includeFiles({ from, patterns, to, withFile }: IncludeRequest): Promise<Included> {
  const text = [...(withFile ? [await readList(from)] : []), ...patterns.map(rawName)].join('\n')
  const listed = IgnoreRules.of(text)
  if (listed.isEmpty) return { copied: [], kept: [], refused: [] }
  const { rules, tracked } = await workspaceGit(from)
  const [source, target] = [HeldDirectory.open(from), HeldDirectory.open(to)]
  const walk = new Walk(from, listed, tracked, target)
  try {
    await walk.directory(source, '', rules, { ignored: false, listed: false })
  } finally {
    source.close()
    target.close()
  }
  return { copied: walk.copied.toSorted(), kept: walk.kept.toSorted(), refused: walk.refused }
}

/** So many files are named, and so many reasons. */
const most = 5

/** The lines for a person, who has typed patterns, or not. */
export function includeNotes({ copied, kept, refused }: Included, typed: readonly string[] = []): string[] {
  const isNothing = typed.length > 0 && copied.length + kept.length + refused.length === 0
  return [
    ...(copied.length > 0 ? [`Brought along, although git ignores it: ${named(copied)}.`] : []),
    ...(typed.length > 0 && kept.length > 0 ? [`Left as it is in the worktree: ${named(kept)}.`] : []),
    ...(isNothing ? [`Nothing was brought along: git ignores no file here that ${typed.join(', ')} means.`] : []),
    ...refused.slice(0, most).map(({ path, why }) => `Not brought along: ${path}: ${why}.`),
    ...(refused.length > most ? [`Not brought along: ${refused.length - most} more.`] : []),
  ]
}

function named(files: readonly string[]): string {
  const names = files.slice(0, most).join(', ')
  return files.length > most ? `${names}, and ${files.length - most} more` : names
}

async function readList(from: string): Promise<string> {
  const handle = await openInside(from, fileName).catch(() => undefined)
  try {
    return handle ? (await readWhole(handle, mostListed)).toString('latin1') : ''
  } catch {
    return ''
  } finally {
    await handle?.close()
  }
}

interface Where {
  ignored: boolean
  listed: boolean
}

class Walk {
  readonly copied: string[] = []
  readonly kept: string[] = []
  readonly refused: Included['refused'] = []
  readonly #from: string
  readonly #listed: IgnoreRules
  #seen = 0
  readonly #target: HeldDirectory
  readonly #tracked: ReadonlySet<string>

  constructor(from: string, listed: IgnoreRules, tracked: ReadonlySet<string>, target: HeldDirectory) {
    this.#from = from
    this.#listed = listed
    this.#target = target
    this.#tracked = tracked
  }

  async directory(held: HeldDirectory, path: string, outer: IgnoreRules, where: Where): Promise<void> {
    const names = held.names()
    const rules = names.includes('.gitignore') ? outer.within(path, ownPatterns(held)) : outer
    for (const name of names) {
      // Of any repository: a copy of one would be one of its own.
      if (/^\.git$/i.test(name)) continue
      const inner = path === '' ? name : `${path}/${name}`
      this.#seen += 1
      if (this.#seen === mostEntries) this.#refuse(inner, 'there are too many files to look at')
      if (this.#seen >= mostEntries) return
      if (this.#seen % breath === 0) await setImmediate()
      try {
        await this.#entry(held, name, inner, rules, where)
      } catch (error) {
        const code = systemCode(error)
        if (code === undefined) throw error
        if (code !== 'ENOENT') this.#refuse(inner, messageOf(error).replace(/,.*$/, ''))
      }
    }
  }

  async #entry(held: HeldDirectory, name: string, path: string, rules: IgnoreRules, outer: Where): Promise<void> {
    const stats = held.stats(name)
    if (!stats) return
    const isDirectory = stats.isDirectory()
    const ignored = outer.ignored || rules.ignores(path, isDirectory)
    const listed = outer.listed || this.#listed.ignores(path, isDirectory)
    if (isDirectory) {
      // In what package managers install, a name alone is not meant for anything.
      if (ignored && !listed && !this.#listed.leadsInto(path)) return
      const inner = held.child(name)
      try {
        await this.directory(inner, path, rules, { ignored, listed })
      } finally {
        inner.close()
      }
    } else if (ignored && listed && !this.#tracked.has(path)) {
      if (stats.isSymbolicLink()) this.#link(held, name, path)
      else if (stats.isFile()) this.#file(held, name, path)
      else this.#refuse(path, 'it is no file')
    }
  }

  #file(held: HeldDirectory, name: string, path: string): void {
    const read = readPlain(held, name, mostOfOne)
    if (!read) {
      this.#refuse(path, `it has more than ${mostOfOne / 1024 ** 2} MiB`)
      return
    }
    this.#put(path, (directory) => {
      const file = directory.openFile(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
      try {
        const { content, stats } = read
        for (let at = 0; at < content.length; ) at += writeSync(file, content, at)
        fchmodSync(file, stats.mode & 0o777)
      } finally {
        closeSync(file)
      }
    })
  }

  /** A link to another file of the checkout leads to the same one of the worktree; others would lead out of it. */
  #link(held: HeldDirectory, name: string, path: string): void {
    const target = readlinkSync(held.at(name), { encoding: 'latin1' })
    const named = normalize(join('/', path, '..', target))
    const inside = !isAbsolute(target) && !normalize(join(path, '..', target)).startsWith('..') && named !== '/.git'
    if (!inside || !this.#staysInside(path)) {
      this.#refuse(path, `it is a link that leads out of the repository, to ${shownName(target)}`)
      return
    }
    this.#put(path, (directory) => symlinkSync(systemName(target), directory.at(name)))
  }

  /** By way of other links too. One that leads nowhere is judged by its text. */
  #staysInside(path: string): boolean {
    try {
      return contains(this.#from, realpathSync(systemName(`${rawName(this.#from)}/${path}`)))
    } catch (error) {
      return systemCode(error) === 'ENOENT'
    }
  }

  /** What is there already stays, whatever it is. */
  #put(path: string, write: (directory: HeldDirectory) => void): void {
    let directory = this.#target.descend('')
    try {
      for (const part of path.split('/').slice(0, -1)) {
        const outer = directory
        try {
          if (!outer.stats(part)) mkdirSync(outer.at(part))
          directory = outer.child(part)
        } finally {
          outer.close()
        }
      }
      write(directory)
      this.copied.push(shownName(path))
    } catch (error) {
      const code = systemCode(error) ?? ''
      if (code === 'ELOOP' || code === 'ENOTDIR')
        this.#refuse(path, 'the worktree has a link, or no directory, on the way')
      else if (code === 'EEXIST') this.kept.push(shownName(path))
      else throw error
    } finally {
      directory.close()
    }
  }

  #refuse(path: string, why: string): void {
    this.refused.push({ path: shownName(path), why })
  }
}
