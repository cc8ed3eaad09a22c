// Owns watching what of a main checkout's `.git` an agent must not write, while one works there: what the host's git replaces loses the
// mount that kept it from the agent. What the agent makes of it is put back; docs/decisions/0024.
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { configNames, GuardedConfigs } from './guarded-configs.js'
import type { Stopper } from './stopper.js'

/** Covered in containers too; they are not replaced by git, and nobody can put back what has become of them. */
const others = ['branches', 'commondir', 'gitdir', 'hooks', 'info', 'modules', 'remotes', 'worktrees']
const watched = [...configNames, ...others]
/** git makes one before it replaces a config, a moment that is ours. */
const locks = configNames.map((name) => `${name}.lock`)
const telling = new Set([...watched, ...locks])
/** Besides being told of changes: not every file system tells of all. Milliseconds. */
const interval = 1_000
/** The same of a config that has lost its mount: what is written through a mapping of its memory nobody tells of. Milliseconds. */
const closeInterval = 25
/** Between two times that agents are held: other starts wait for that, and an agent may change the file all the time. Milliseconds. */
const rest = 100
/** How long git takes with its lock in hand, and how often that is looked at. Milliseconds. */
const lockWaits = { between: 3, longest: 60 }

export interface ConfigGuardOptions {
  /** The guard's own agent, until the engine has paused all of them. */
  agent: Pick<Stopper, 'goOn' | 'stop'>
  home: string
  log: (message: string) => void
  place: GitPlace
  /** Called with what a person must know. */
  raise: (text: string) => Promise<void>
  /** Acts while no agent can write in the repository's directory; none goes on by itself after a `keep`. */
  whileHeld: (action: (keep: () => void) => Promise<void>) => Promise<void>
}

export class ConfigGuard {
  readonly #configs: GuardedConfigs
  readonly #options: ConfigGuardOptions
  #again = false
  #closeTimer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #marks: Map<string, string>
  #timer: NodeJS.Timeout | undefined
  #watcher: FSWatcher | undefined

  private constructor(options: ConfigGuardOptions, configs: GuardedConfigs, marks: Map<string, string>) {
    this.#configs = configs
    this.#marks = marks
    this.#options = options
  }

  /** Takes what is there for good, and watches. */
  static async begin(options: ConfigGuardOptions): Promise<ConfigGuard> {
    const marks = await markAll(options.place)
    const guard = new ConfigGuard(options, await GuardedConfigs.begin(options.place, options.home), marks)
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
    clearInterval(this.#closeTimer)
    clearInterval(this.#timer)
    await this.look()
  }

  #watch(): void {
    this.#timer = setInterval(() => void this.look(), interval)
    try {
      this.#watcher = watch(this.#options.place.commonDir, (_, name) => {
        if (name === null || telling.has(name)) this.#told()
      })
      this.#watcher.on('error', (error) => this.#options.log(messageOf(error)))
    } catch (error) {
      this.#options.log(`looks now and then only: ${messageOf(error)}`)
    }
  }

  /** Something changes, or is about to: the agent does not see it happen. */
  #told(): void {
    this.#options.agent.stop()
    this.#glance()
    void this.look()
  }

  #glance(): void {
    try {
      this.#configs.putBackNow(() => {
        this.#options.agent.stop()
        void this.look()
      })
    } catch (error) {
      this.#options.log(messageOf(error))
    }
  }

  async #lookUntilSettled(): Promise<void> {
    while (this.#again) {
      this.#again = false
      let isChanged = false
      try {
        await this.#unlocked()
        isChanged = this.#changed(await markAll(this.#options.place)).length > 0
        if (isChanged) await this.#options.whileHeld((keep) => this.#judge(keep))
      } catch (error) {
        this.#options.log(messageOf(error))
      }
      if (this.#again) continue
      // An engine that could not pause it is asked again: until then it stays stopped.
      if (!this.#configs.isPending) this.#options.agent.goOn()
      if (isChanged) await wait(rest)
    }
  }

  /** A git that fails, or an agent that plays, takes its lock away without a change. */
  async #unlocked(): Promise<void> {
    const end = performance.now() + lockWaits.longest
    const paths = locks.map((name) => join(this.#options.place.commonDir, name))
    while (paths.some((path) => existsSync(path)) && performance.now() < end) await wait(lockWaits.between)
  }

  #changed(marks: ReadonlyMap<string, string>): string[] {
    return [...marks].filter(([name, mark]) => this.#marks.get(name) !== mark).map(([name]) => name)
  }

  async #judge(keep: () => void): Promise<void> {
    const marks = await markAll(this.#options.place)
    const changed = this.#changed(marks)
    const told: string[] = []
    for (const name of changed) {
      if (configNames.includes(name)) {
        const said = await this.#configs.judge(name, keep)
        if (said !== undefined) told.push(said)
        continue
      }
      keep()
      told.push(this.#lost(name))
    }
    this.#marks = marks
    if (changed.some((name) => configNames.includes(name))) this.#watchClosely()
    // What was put back is looked at, too.
    if (told.length > 0) this.#again = true
    if (told.length > 0) await this.#options.raise(told.join(' '))
  }

  #watchClosely(): void {
    this.#closeTimer ??= setInterval(() => this.#glance(), closeInterval)
  }

  #lost(name: string): string {
    const path = join(this.#options.place.commonDir, name)
    return `${path} was replaced on this machine while an agent was at work in the repository, and the agent can write there now: look at what is in it before your git does, and start the agent anew.`
  }
}

async function markAll({ commonDir }: GitPlace): Promise<Map<string, string>> {
  return new Map(await Promise.all(watched.map(async (name) => [name, await mark(commonDir, name)] as const)))
}

/** Of a config each change counts; of the rest, that it is the same one. */
async function mark(directory: string, name: string): Promise<string> {
  const found = await lstat(join(directory, name), { bigint: true }).catch(() => undefined)
  if (!found) return 'absent'
  const { birthtimeNs, ctimeNs, dev, ino, mtimeNs, size } = found
  // A number that is free again is often the next one's.
  return [dev, ino, birthtimeNs, ...(configNames.includes(name) ? [size, mtimeNs, ctimeNs] : [])].join(':')
}
