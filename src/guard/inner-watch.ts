// Owns watching, while an agent works in a checkout, for repositories within it by which its user's `git status` would run a program: git
// looks into each that the index names. What an agent puts into the config of one is taken out again; docs/decisions/0024.
import { createHash } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contains } from '../config/real-path.js'
import { replaceFileNow } from '../config/replace-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { messageOf } from '../errors.js'
import { viewDirectory } from '../worktrees/container-view.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { innerRepositories } from '../worktrees/inner-repositories.js'
import { readConfigAt } from '../worktrees/read-git-file.js'
import { type ConfigEntry, configText, parseConfig, programEntries } from '../worktrees/repository-config.js'
import type { ConfigGuardOptions } from './config-guard.js'
import { nameKeys } from './name-keys.js'

/** Between two looks. Milliseconds. */
const interval = 1_000
/** An index is read again when it has changed, and for no more than this part of the time. */
const share = 0.1

type Trap = ConfigEntry & { file: string }
type Options = Omit<ConfigGuardOptions, 'agent'>

export class InnerWatch {
  #inner: GitPlace[] = []
  /** What was there before the agent, and what its user has been told of. */
  readonly #known = new Set<string>()
  #looking: Promise<void> | undefined
  #marks = ''
  /** When the indexes may be read next. Milliseconds, by a clock that nobody sets. */
  #next = 0
  readonly #options: Options
  #timer: NodeJS.Timeout | undefined

  private constructor(options: Options) {
    this.#options = options
  }

  static async begin(options: Options): Promise<InnerWatch> {
    const watch = new InnerWatch(options)
    await watch.#list()
    for (const trap of await watch.#traps()) watch.#known.add(wordOf(trap))
    watch.#timer = setInterval(() => void watch.look(), interval)
    return watch
  }

  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error) => this.#options.log(messageOf(error)))
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    if (this.#marks !== this.#markAll() && performance.now() >= this.#next) await this.#list()
    if ((await this.#traps()).length === 0) return
    await this.#options.whileHeld(async (keep) => {
      const traps = await this.#traps()
      if (traps.length === 0) return
      keep()
      for (const trap of traps) this.#known.add(wordOf(trap))
      const files = Map.groupBy(traps, ({ file }) => file)
      const told = await Promise.all([...files].map(([file, found]) => this.#disarm(file, found)))
      await this.#options.raise(told.join(' '))
    })
  }

  /** What is new. Of a config that git cannot read there is nothing: git stops there. */
  async #traps(): Promise<Trap[]> {
    const all = await Promise.all(this.#inner.map((inner) => programEntries(inner).catch(() => [])))
    return all.flat().filter((trap) => !this.#known.has(wordOf(trap)))
  }

  async #list(): Promise<void> {
    const begun = performance.now()
    // Before: what changes meanwhile is looked at again.
    this.#marks = this.#markAll()
    const { found } = await innerRepositories(this.#options.place)
    this.#inner = found
    // Those that were found have an index each.
    if (found.length > 0) this.#marks = `${this.#marks.split('\n')[0]}\n${this.#marksOf(found)}`
    const end = performance.now()
    this.#next = end + (end - begun) / share
  }

  #markAll(): string {
    return `${this.#marksOf([this.#options.place])}\n${this.#marksOf(this.#inner)}`
  }

  #marksOf(places: readonly GitPlace[]): string {
    return places.map(({ gitDir }) => markOf(join(gitDir, 'index'))).join(' ')
  }

  /** Takes what is new out of a config in the checkout, with the agent asleep; what a person must know of it. */
  async #disarm(file: string, traps: readonly Trap[]): Promise<string> {
    const { home, place } = this.#options
    const { root = place.commonDir } = place
    const keys = [...new Set(traps.map(({ key }) => key))]
    const found = `${file} had ${nameKeys(keys)} set, maybe by an agent, which git status in ${root} would have run, as it looks into that repository`
    const look = `git config --file ${shellQuote(file)} --edit`
    // An agent may have it lead to a repository of its user's.
    if (!contains(root, file)) return `${found}; moat has left it as it is. Take it out: ${look}`
    try {
      const { mode, text } = readConfigAt(file)
      const entries = await parseConfig(text, file)
      const digest = createHash('sha256').update(file).digest('hex').slice(0, 16)
      const aside = join(viewDirectory(home, place.gitDir), `inner-${digest}.refused`)
      writeFileSync(aside, text, { mode: 0o600 })
      const bad = new Set(traps.map(wordOf))
      replaceFileNow(file, configText(entries.filter((entry) => !bad.has(wordOf({ ...entry, file })))), mode)
      return `${found}; it is out of it. If that was you: cp ${shellQuote(aside)} ${shellQuote(file)}`
    } catch (error) {
      return `${found}; it could not be taken out: ${messageOf(error)}. Take it out: ${look}`
    }
  }
}

function wordOf({ file, key, value }: Trap): string {
  return JSON.stringify([file, key, value])
}

function markOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':') : ''
}
