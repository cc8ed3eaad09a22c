// Owns which files of a workspace its user's tools run or trust by themselves: reading data/trusted-files.yaml.
import { z } from 'zod'
import { ownData } from '../config/own-data.js'

/** Why a file matters. `part` is the key of a JSON file that does, if not all of it does. */
export interface Trust {
  part?: string
  why: string
}

interface Rule extends Trust {
  /** The name of a file that it is about, in small letters, if it is about one name: an expression costs more. */
  name: string | undefined
  pattern: RegExp
}

export class TrustedFiles {
  /** Of patterns of directories, as a whole. */
  readonly #directories: RegExp
  readonly #lastDirectory = { path: '', trusted: false }
  /** Of patterns of files, the last part: plain ones, what follows a `*` that they begin with, and the others with a `*`. */
  readonly #names = new Set<string>()
  readonly #endings = new Set<string>()
  readonly #wild: RegExp
  readonly #rules: Rule[]

  static #usual: TrustedFiles | undefined

  /** The list of data/trusted-files.yaml, read once. */
  static usual(): TrustedFiles {
    TrustedFiles.#usual ??= new TrustedFiles()
    return TrustedFiles.#usual
  }

  constructor(entries: Readonly<Record<string, string>> = readEntries()) {
    const rules = Object.entries(entries).map(([key, why]) => {
      const [text = '', part] = key.split('#')
      const last = text.split('/').at(-1) ?? ''
      const name = last === '' || last.includes('*') ? undefined : last.toLowerCase()
      return { name, pattern: new RegExp(sourceOf(text), 'i'), text, why, ...(part !== undefined && { part }) }
    })
    this.#rules = rules
    const files = rules.filter(({ text }) => !text.endsWith('/')).map(({ text }) => text.split('/').at(-1) ?? '')
    const isEnding = (name: string) => /^\*[.-][^*]*$/.test(name)
    for (const name of files) {
      if (isEnding(name)) this.#endings.add(name.slice(1).toLowerCase())
      else if (!name.includes('*')) this.#names.add(name.toLowerCase())
    }
    const wild = files.filter((name) => name.includes('*') && !isEnding(name))
    this.#wild = new RegExp(`^(?:${[...wild.map(nameSource), '(?!)'].join('|')})$`, 'i')
    this.#directories = union(rules.filter(({ text }) => text.endsWith('/')).map(({ pattern }) => pattern.source))
  }

  /** What `path`, relative to the workspace, is trusted for; several for several keys of a file. */
  trustsIn(name: string): Trust[] {
    const path = asFound(name)
    if (!this.#mayBeTrusted(path)) return []
    const own = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
    const found = this.#rules.filter(({ name, pattern }) => (name === undefined || name === own) && pattern.test(path))
    const parts = found.filter(({ part }) => part !== undefined)
    return parts.length > 0 ? parts : found.slice(0, 1)
  }

  /** Answers at once for the many files that are not. */
  #mayBeTrusted(path: string): boolean {
    const cut = path.lastIndexOf('/') + 1
    const [directory, name] = [path.slice(0, cut), path.slice(cut)]
    const lower = name.toLowerCase()
    if (this.#names.has(lower) || this.#wild.test(name) || this.#hasEnding(lower)) return true
    const last = this.#lastDirectory
    if (last.path !== directory) Object.assign(last, { path: directory, trusted: this.#directories.test(directory) })
    return last.trusted
  }

  /** Without an expression that begins anywhere: there are many files. */
  #hasEnding(name: string): boolean {
    for (let index = 0; index < name.length; index += 1) {
      const letter = name.charAt(index)
      if ((letter === '.' || letter === '-') && this.#endings.has(name.slice(index))) return true
    }
    return false
  }
}

/** Some file systems find a name under other letters than its own, one for two too, or with characters in it that are not seen. */
export function asFound(path: string): string {
  if (/^[ -~]*$/.test(path)) return path
  return path
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
}

function union(sources: readonly string[]): RegExp {
  return new RegExp(sources.length === 0 ? '(?!)' : sources.join('|'), 'i')
}

function readEntries(): Record<string, string> {
  return z.record(z.string(), z.string().min(1)).parse(ownData('trusted-files'))
}

function sourceOf(pattern: string): string {
  return `(?:^|/)${nameSource(pattern)}${pattern.endsWith('/') ? '' : '$'}`
}

function nameSource(pattern: string): string {
  return pattern.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replace(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '.*'))
}
