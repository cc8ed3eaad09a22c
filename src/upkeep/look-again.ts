// Owns noticing that something was done to files that others may remove or replace: the system says so. Where it does not, one
// looks often; where it does, now and then all the same, for not every file system tells all. A process that lives for days is
// not to be woken for nothing.
import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { fileMark } from './file-mark.js'

/** Milliseconds. However much is done there, that is looked at once in the time of `often`. */
const times = { often: 500, seldom: 60_000 }

export interface Looking {
  /** To be called when it may have become urgent. */
  again(): void
  release(): void
}

/** Calls `look` when something was done to one of the files, or beside them; often, while `isUrgent`. */
export function lookAgain(files: readonly string[], look: () => void, isUrgent = () => false): Looking {
  const directories = new Set(files.map((file) => dirname(file)))
  const watches = [...directories].map((path) => new DirectoryWatch(path, () => soon()))
  let last = performance.now()
  let released = false
  let timer: NodeJS.Timeout | undefined
  const wait = (milliseconds: number) => {
    clearTimeout(timer)
    timer = setTimeout(run, milliseconds).unref()
  }
  const pause = () => {
    // Before a look: what is done after it is told.
    const told = watches.map((one) => one.bring()).every(Boolean)
    // All at the same time, so that many wake the process once.
    wait(told && !isUrgent() ? times.seldom - (performance.now() % times.seldom) : times.often)
  }
  const run = () => {
    last = performance.now()
    pause()
    look()
  }
  const soon = () => {
    if (!released) wait(Math.max(0, last + times.often - performance.now()))
  }
  pause()
  return {
    again: () => {
      if (!released && isUrgent()) soon()
    },
    release: () => {
      released = true
      clearTimeout(timer)
      for (const one of watches) one.close()
    },
  }
}

/** A directory, or another in its place. */
class DirectoryWatch {
  #mark: string | undefined
  readonly #onEvent: () => void
  readonly #path: string
  #watcher: FSWatcher | undefined

  constructor(path: string, onEvent: () => void) {
    this.#path = path
    this.#onEvent = onEvent
  }

  /** True when what is done there will be told. */
  bring(): boolean {
    const mark = fileMark(this.#path)
    if (this.#watcher && mark === this.#mark) return true
    this.close()
    // Elsewhere it is not known how much the system tells.
    if (mark === undefined || process.platform !== 'linux') return false
    try {
      const watcher = watch(this.#path, { persistent: false }, (event, name) => {
        // Whoever writes to a log does nothing to it.
        if (event === 'rename' || !name?.endsWith('.log')) this.#onEvent()
      })
      watcher.on('error', () => this.close())
      this.#watcher = watcher
      this.#mark = mark
    } catch {
      // There are too many of them.
      return false
    }
    return fileMark(this.#path) === mark
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
