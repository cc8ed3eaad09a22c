// Owns which files of a workspace its user's tools run or trust by themselves: reading data/trusted-files.yaml.
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { z } from 'zod'

/** Why a file matters. `part` is the key of a JSON file that does, if not all of it does. */
export interface Trust {
  part?: string
  why: string
}

interface Rule extends Trust {
  pattern: RegExp
}

export class TrustedFiles {
  /** Of patterns of directories, as a whole. */
  readonly #directories: RegExp
  readonly #lastDirectory = { path: '', trusted: false }
  /** Of patterns of files, the last part: plain ones, and those with a `*`. */
  readonly #names = new Set<string>()
  readonly #rules: Rule[]
  readonly #wild: RegExp

  constructor(entries: Readonly<Record<string, string>> = readEntries()) {
    const rules = Object.entries(entries).map(([key, why]) => {
      const [text = '', part] = key.split('#')
      return { pattern: new RegExp(sourceOf(text), 'i'), text, why, ...(part !== undefined && { part }) }
    })
    this.#rules = rules
    const files = rules.filter(({ text }) => !text.endsWith('/')).map(({ text }) => text.split('/').at(-1) ?? '')
    for (const name of files) if (!name.includes('*')) this.#names.add(name.toLowerCase())
    this.#wild = union(files.filter((name) => name.includes('*')).map(sourceOf))
    this.#directories = union(rules.filter(({ text }) => text.endsWith('/')).map(({ pattern }) => pattern.source))
  }

  /** What `path`, relative to the workspace, is trusted for; several for several keys of a file. */
  trustsIn(path: string): Trust[] {
    if (!this.#mayBeTrusted(path)) return []
    const found = this.#rules.filter(({ pattern }) => pattern.test(path))
    const parts = found.filter(({ part }) => part !== undefined)
    return parts.length > 0 ? parts : found.slice(0, 1)
  }

  /** Answers at once for the many files that are not. */
  #mayBeTrusted(path: string): boolean {
    const cut = path.lastIndexOf('/') + 1
    const [directory, name] = [path.slice(0, cut), path.slice(cut)]
    if (this.#names.has(name.toLowerCase()) || this.#wild.test(name)) return true
    const last = this.#lastDirectory
    if (last.path !== directory) Object.assign(last, { path: directory, trusted: this.#directories.test(directory) })
    return last.trusted
  }
}

function union(sources: readonly string[]): RegExp {
  return new RegExp(sources.length === 0 ? '(?!)' : sources.join('|'), 'i')
}

function readEntries(): Record<string, string> {
  const file = new URL('../../data/trusted-files.yaml', import.meta.url)
  return z.record(z.string(), z.string().min(1)).parse(load(readFileSync(file, 'utf8')))
}

function sourceOf(pattern: string): string {
  const escaped = pattern
    .replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
    .replace(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '.*'))
  return `(?:^|/)${escaped}${pattern.endsWith('/') ? '' : '$'}`
}
