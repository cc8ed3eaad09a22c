// Owns watching what of a main checkout's `.git` an agent must not write, while one works there: what the host's git replaces loses the
// mount that kept it from the agent. What the agent makes of it is put back; docs/decisions/0024.
import { randomUUID } from 'node:crypto'
import { constants, type FSWatcher, watch } from 'node:fs'
import { lstat, open, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readWhole } from '../config/open-inside.js'
import { replaceFile } from '../config/replace-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { messageOf } from '../errors.js'
import { viewDirectory } from '../worktrees/container-view.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { type ConfigEntry, mostBytes, parseConfig } from '../worktrees/repository-config.js'
import { remotesOf, suspectKeys } from './judge-config.js'

/** Judged, and put back. */
const configs = ['config', 'config.worktree']
/** Covered in containers too; they are not replaced by git, and nobody can put back what has become of them. */
const others = ['branches', 'commondir', 'gitdir', 'hooks', 'info', 'modules', 'remotes', 'worktrees']
const watched = new Set([...configs, ...others])
/** Besides being told of changes: not every file system tells of all. Milliseconds. */
const interval = 1_000
/** Between two times that agents are held: other starts wait for that, and an agent may change the file all the time. Milliseconds. */
const rest = 100

export interface ConfigGuardOptions {
  home: string
  log: (message: string) => void
  place: GitPlace
  /** Called with what a person must know. */
  raise: (text: string) => Promise<void>
  /** Acts while no agent can write in the repository's directory; none goes on by itself after a `keep`. */
  whileHeld: (action: (keep: () => void) => Promise<void>) => Promise<void>
}

interface Plain {
  mode: number
  text: Buffer
}

interface Accepted extends Plain {
  entries: ConfigEntry[]
}

export class ConfigGuard {
  /** The last of each that was as it should be. */
  readonly #accepted = new Map<string, Accepted>()
  readonly #options: ConfigGuardOptions
  /** All there have been. */
  readonly #remotes = new Set<string>()
  #again = false
  #looking: Promise<void> | undefined
  #marks = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #watcher: FSWatcher | undefined

  private constructor(options: ConfigGuardOptions) {
    this.#options = options
  }

  /** Takes what is there for good, and watches. */
  static async begin(options: ConfigGuardOptions): Promise<ConfigGuard> {
    const guard = new ConfigGuard(options)
    guard.#marks = await guard.#markAll()
    for (const name of configs) {
      const path = join(options.place.commonDir, name)
      const read = await readPlain(path)
      if (read) guard.#accepted.set(name, { ...read, entries: await parseConfig(read.text, path) })
    }
    guard.#watch()
    return guard
  }

  /** Looks; resolves when nothing has changed since. */
  look(): Promise<void> {
    this.#again = true
    this.#looking ??= this.#lookUntilSettled().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** With a last look. */
  async close(): Promise<void> {
    this.#watcher?.close()
    clearInterval(this.#timer)
    await this.look()
  }

  #watch(): void {
    const look = () => void this.look()
    this.#timer = setInterval(look, interval)
    try {
      this.#watcher = watch(this.#options.place.commonDir, (_, name) => {
        if (name === null || watched.has(name)) look()
      })
      this.#watcher.on('error', (error) => this.#options.log(messageOf(error)))
    } catch (error) {
      this.#options.log(`looks now and then only: ${messageOf(error)}`)
    }
  }

  async #lookUntilSettled(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        if (this.#changed(await this.#markAll()).length === 0) continue
        await this.#options.whileHeld((keep) => this.#judge(keep))
        await wait(rest)
      } catch (error) {
        this.#options.log(messageOf(error))
      }
    }
  }

  #changed(marks: ReadonlyMap<string, string>): string[] {
    return [...marks].filter(([name, mark]) => this.#marks.get(name) !== mark).map(([name]) => name)
  }

  async #judge(keep: () => void): Promise<void> {
    const marks = await this.#markAll()
    const told: string[] = []
    for (const name of this.#changed(marks)) {
      const keys = configs.includes(name) ? await this.#suspects(name) : undefined
      if (keys?.length === 0) continue
      // At once: an agent must not go on because of what goes wrong later.
      keep()
      told.push(keys ? await this.#putBack(name, keys) : this.#lost(name))
    }
    this.#marks = marks
    if (told.length > 0) await this.#options.raise(told.join(' '))
  }

  #lost(name: string): string {
    const path = join(this.#options.place.commonDir, name)
    return `${path} was replaced on this machine while an agent was at work in the repository, and the agent can write there now: look at what is in it before your git does, and start the agent anew.`
  }

  /** Keys that an agent may have set, or what is wrong with the file instead; none for what is accepted. */
  async #suspects(name: string): Promise<string[]> {
    const path = join(this.#options.place.commonDir, name)
    const read = await readPlain(path)
    const entries = read && (await parseConfig(read.text, path).catch(() => undefined))
    if (!entries) return ['what git cannot read']
    const before = this.#accepted.get(name)?.entries ?? []
    for (const remote of remotesOf(before)) this.#remotes.add(remote)
    const keys = suspectKeys(before, entries, this.#remotes)
    if (keys.length === 0) this.#accepted.set(name, { ...read, entries })
    return keys
  }

  /** What a person must know of it. */
  async #putBack(name: string, keys: readonly string[]): Promise<string> {
    const { home, place } = this.#options
    const path = join(place.commonDir, name)
    const aside = join(viewDirectory(home, place.gitDir), `${name}.refused`)
    const refused = await readPlain(path)
    if (refused) await writeFile(aside, refused.text, { mode: 0o600 }).catch(() => {})
    const found = `${path} had ${named(keys)} in it, maybe from an agent, which can write the file since git on this machine has replaced it`
    try {
      const { mode = 0o644, text = '' } = this.#accepted.get(name) ?? {}
      if ((await lstat(path).catch(() => undefined))?.isDirectory()) await rename(path, `${path}.${randomUUID()}`)
      // As a new file: an agent may have links to the one that is there. Without git's lock, which an agent can take as well, and
      // which would be in git's way if this process were killed: what another git writes at this moment is looked at again.
      await replaceFile(path, text, mode)
      this.#again = true
    } catch (error) {
      return `${found}; it could not be put back: ${messageOf(error)}.`
    }
    const [from, to] = [shellQuote(aside), shellQuote(path)]
    const kept = ` What it said is kept. If that was you, look at it, and set it again when no agent is at work here: diff ${to} ${from}; cp ${from} ${to}`
    return `${found}; it is as it was before.${refused ? kept : ''}`
  }

  async #markAll(): Promise<Map<string, string>> {
    return new Map(await Promise.all([...watched].map(async (name) => [name, await this.#mark(name)] as const)))
  }

  /** Of a config each change counts; of the rest, that it is the same one. */
  async #mark(name: string): Promise<string> {
    const found = await lstat(join(this.#options.place.commonDir, name), { bigint: true }).catch(() => undefined)
    if (!found) return 'absent'
    const { birthtimeNs, ctimeNs, dev, ino, mtimeNs, size } = found
    // A number that is free again is often the next one's.
    return [dev, ino, birthtimeNs, ...(configs.includes(name) ? [size, mtimeNs, ctimeNs] : [])].join(':')
  }
}

/** An agent may have chosen their number and length. */
function named(keys: readonly string[]): string {
  const shown = keys.slice(0, 5).map((key) => (key.length > 100 ? `${key.slice(0, 100)}…` : key))
  return [...shown, ...(keys.length > 5 ? [`${keys.length - 5} more`] : [])].join(', ')
}

/** Undefined for what is absent, or no plain file. An agent may have put anything there. */
async function readPlain(path: string): Promise<Plain | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch(() => undefined)
  try {
    return handle && { text: await readWhole(handle, mostBytes), mode: (await handle.stat()).mode & 0o777 }
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
