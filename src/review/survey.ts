// Owns looking through a workspace for what its user's tools run or trust. An agent has written it and may be writing it now:
// nothing is followed, nothing is waited for, and what is looked at is bounded.
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { openInside, readWhole } from '../config/open-inside.js'
import { rawName, systemName, textName } from '../config/raw-name.js'
import { contains } from '../config/real-path.js'
import { systemCode } from '../errors.js'
import { asFound, type Trust, TrustedFiles } from './trusted-files.js'

/** One thing that matters, and what tells whether it is still the same. */
export interface SurveyEntry {
  bornMs: number
  changedMs: number
  /** Of what matters in it; absent for what is too large or cannot be read. */
  digest?: string
  mode: number
  size: number
  why: string
}

export interface Survey {
  /** False when there was more than is looked at. */
  complete: boolean
  /** By path relative to the workspace, as text, with `#key` for a part of a file. */
  entries: Map<string, SurveyEntry>
}

export interface SurveyLimits {
  /** Files and directories that are looked at. */
  entries: number
  /** What is found. */
  found: number
  /** Letters of its paths: what is written down has to be read again. */
  letters: number
}

export const surveyLimits: SurveyLimits = { entries: 300_000, found: 50_000, letters: 8_000_000 }
/** Bytes; larger files are told apart by size and time of change, which an agent cannot set. */
const mostDigested = 4 * 1024 * 1024
/** Of git's own files, those that are many and that nothing in them is run: looked into for links alone, or not at all. */
const gitData = /(?:^|\/)\.git\/(?:.*\/)?(?:logs|refs|reftable|rr-cache)\//
const gitObjects = /(?:^|\/)\.git\/(?:.*\/)?(?:lfs|objects)$/
/** Entries between two chances for others. */
const breath = 2_000

/** Looks through `workspace`, a real path; what lies higher up comes first, and what is trusted first of all. */
export async function survey(workspace: string, limits: SurveyLimits = surveyLimits): Promise<Survey> {
  const walk = new Walk(workspace, limits)
  await walk.run()
  return { complete: walk.complete, entries: walk.entries }
}

/** Paths in here are raw, see raw-name.ts, but for those that name entries. */
class Walk {
  complete = true
  readonly entries = new Map<string, SurveyEntry>()
  readonly #limits: SurveyLimits
  readonly #queue: string[] = ['']
  #letters = 0
  #seen = 0
  readonly #trusted = TrustedFiles.usual()
  readonly #workspace: string

  constructor(workspace: string, limits: SurveyLimits) {
    this.#workspace = rawName(workspace)
    this.#limits = limits
  }

  async run(): Promise<void> {
    for (let next = 0; next < this.#queue.length && this.complete; next += 1) {
      await this.#directory(this.#queue[next] ?? '')
    }
  }

  async #directory(directory: string): Promise<void> {
    const children = this.#children(directory)
    this.#bareRepository(directory, children)
    const [trusted, others] = [[] as [raw: string, path: string][], [] as [raw: string, path: string][]]
    const here = textName(directory)
    for (const name of children) {
      const path = pathIn(here, textName(name))
      const list = this.#trusted.trustsIn(path).length > 0 ? trusted : others
      list.push([pathIn(directory, name), path])
    }
    for (const [raw, path] of [...trusted, ...others]) {
      this.#seen += 1
      if (this.#isFull()) {
        this.complete = false
        return
      }
      if (this.#seen % breath === 0) await setImmediate()
      const work = this.#entry(raw, path)
      if (work) await work
    }
  }

  #isFull(): boolean {
    const { entries, found, letters } = this.#limits
    return this.#seen > entries || this.entries.size >= found || this.#letters > letters
  }

  #add(path: string, entry: SurveyEntry): void {
    this.#letters += path.length
    this.entries.set(path, entry)
  }

  #children(directory: string): string[] {
    const path = join(this.#workspace, directory)
    try {
      // Since it was queued, a link may have been put in its place.
      return realPathOf(path) === path ? readdirSync(systemName(path), { encoding: 'latin1' }) : []
    } catch (error) {
      this.#closed(`${directory}/`, error)
      return []
    }
  }

  /** What cannot be looked at may hide anything: a mode that forbids it, a path that is too long. */
  #closed(path: string, error: unknown): void {
    const code = systemCode(error) ?? ''
    if (code === 'ENOENT' || code === 'ENOTDIR') return
    const nothing = { bornMs: 0, changedMs: 0, mode: 0, size: 0 }
    this.#add(textName(path), { ...nothing, digest: code, why: 'it cannot be looked into' })
  }

  #stats(path: string): Stats | undefined {
    try {
      return lstatSync(systemName(join(this.#workspace, path)), { throwIfNoEntry: false })
    } catch (error) {
      this.#closed(path, error)
      return undefined
    }
  }

  /** A promise only where there is something to wait for: most files have nothing to say. */
  #entry(raw: string, path: string): Promise<void> | undefined {
    const absolute = join(this.#workspace, raw)
    const stats = this.#stats(raw)
    if (!stats) return undefined
    if (stats.isDirectory()) {
      this.#queue.push(gitObjects.test(raw) ? `${raw}/info` : raw)
      return undefined
    }
    const isData = gitData.test(path)
    const trusts = isData ? [] : this.#trusted.trustsIn(path)
    const special = specialReason(stats) ?? (stats.isSymbolicLink() ? this.#linkReason(absolute) : undefined)
    if (special !== undefined) {
      const digest = stats.isSymbolicLink() ? { digest: readLink(absolute) } : {}
      this.#add(path, { ...identity(stats), ...digest, why: special })
    } else if (trusts.length > 0) return this.#trust(path, raw, stats, trusts)
    else if (stats.isFile() && (stats.mode & 0o111) !== 0 && !isData) {
      this.#add(path, { ...identity(stats), why: 'it can be run' })
    }
    return undefined
  }

  async #trust(path: string, raw: string, stats: Stats, trusts: readonly Trust[]): Promise<void> {
    const content = stats.isFile() && stats.size <= mostDigested ? await this.#read(path, raw) : undefined
    if (content && trusts[0]?.part !== undefined && !isJson(content)) {
      const why = 'it is no JSON, and what reads it may see something else in it'
      this.#add(path, { ...identity(stats), digest: digestOf(content, undefined), why })
      return
    }
    for (const { part, why } of trusts) {
      const digest = stats.isSymbolicLink() ? readLink(join(this.#workspace, raw)) : content && digestOf(content, part)
      // A file without the key has nothing in it that is trusted.
      if (digest === 'nothing') continue
      const entry = { ...identity(stats), ...(digest !== undefined && { digest }), why }
      this.#add(part === undefined ? path : `${path}#${part}`, entry)
    }
  }

  /** Not under a name that is no text: what has none is told apart by size and time of change. */
  async #read(path: string, raw: string): Promise<Buffer | undefined> {
    if (rawName(path) !== raw) return undefined
    const handle = await openInside(textName(this.#workspace), path).catch(() => undefined)
    try {
      return handle && (await readWhole(handle, mostDigested))
    } catch {
      return undefined
    } finally {
      await handle?.close()
    }
  }

  #linkReason(link: string): string | undefined {
    const named = resolve(dirname(link), readLink(link))
    const inside = contains(this.#workspace, named) && contains(this.#workspace, targetOf(link) ?? named)
    return inside ? undefined : `a link that leads out of the workspace, to ${textName(readLink(link))}`
  }

  /** git takes a directory that looks like a repository for one, and runs what its config names. */
  #bareRepository(directory: string, children: readonly string[]): void {
    const names = new Set(children.map((name) => asFound(textName(name)).toLowerCase()))
    if (`/${directory}/`.includes('/.git/') || !['head', 'objects', 'refs'].every((name) => names.has(name))) return
    const stats = this.#stats(directory)
    if (stats) {
      const why = 'git takes it for a repository, and runs what its config names'
      this.#add(`${textName(directory)}/`, { ...identity(stats), digest: 'repository', why })
    }
  }
}

function specialReason(stats: Stats): string | undefined {
  if (stats.isFile() && (stats.mode & 0o6000) !== 0) return 'it runs with the rights of its owner or group'
  if (stats.isFIFO() || stats.isSocket()) return 'a pipe or a socket: what opens it may hang'
  return stats.isBlockDevice() || stats.isCharacterDevice() ? 'a device' : undefined
}

function identity({ birthtimeMs, ctimeMs, mode, size }: Stats): Omit<SurveyEntry, 'why'> {
  return { bornMs: birthtimeMs, changedMs: ctimeMs, mode, size }
}

/** `nothing` for a JSON file without the part. */
function digestOf(content: Buffer, part: string | undefined): string {
  const text = part === undefined ? content : partOf(content, part)
  return text === undefined ? 'nothing' : createHash('sha256').update(text).digest('hex')
}

function partOf(content: Buffer, part: string): string | undefined {
  const json = JSON.parse(content.toString('utf8')) as Record<string, unknown> | null
  if (!(json instanceof Object && Object.hasOwn(json, part))) return undefined
  try {
    return JSON.stringify(json[part])
  } catch {
    // Nested more deeply than can be written, which no person's is: all of the file counts.
    return content.toString('latin1')
  }
}

function isJson(content: Buffer): boolean {
  try {
    JSON.parse(content.toString('utf8'))
    return true
  } catch {
    return false
  }
}

/** Raw. */
function readLink(path: string): string {
  try {
    return readlinkSync(systemName(path), { encoding: 'latin1' })
  } catch {
    return ''
  }
}

function targetOf(link: string): string | undefined {
  try {
    return realPathOf(link)
  } catch {
    return undefined
  }
}

/** Node's own way of finding it reads `..` in the text of a link, where the system goes where the link has led. */
function realPathOf(path: string): string {
  return realpathSync.native(systemName(path), { encoding: 'latin1' })
}

function pathIn(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
