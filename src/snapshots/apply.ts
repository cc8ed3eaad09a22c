// Owns making a workspace what it was. An agent has written what is there: every directory is held open while something in it is
// changed, nothing is followed, no file is written through, and what has changed since it was looked at is left.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { HeldDirectory } from '../config/held-directory.js'
import { systemName } from '../config/raw-name.js'
import { messageOf, systemCode } from '../errors.js'
import type { RestorePlan } from './restore-plan.js'
import type { Entry } from './tree.js'

export interface Applied {
  /** Paths that could not be made what they were, and why. */
  failed: Map<string, string>
}

/** What a directory needs for something in it to be changed. */
const workable = 0o700

type Contents = AsyncIterable<[id: string, content: Buffer]>

/** `contents` gives what files and links had in them, by the ids it is asked for. */
export async function applyPlan(
  workspace: string,
  plan: RestorePlan,
  contents: (ids: readonly string[]) => Contents,
): Promise<Applied> {
  const root = HeldDirectory.open(workspace)
  try {
    const restorer = new Restorer(root, plan)
    restorer.remove()
    restorer.makeDirectories()
    await restorer.write(contents)
    restorer.setModes()
    return { failed: restorer.failed }
  } finally {
    root.close()
  }
}

class Restorer {
  readonly failed = new Map<string, string>()
  /** Directories whose mode was widened, with the one to be set in the end. */
  readonly #modes = new Map<string, number>()
  readonly #plan: RestorePlan
  readonly #root: HeldDirectory

  constructor(root: HeldDirectory, plan: RestorePlan) {
    this.#plan = plan
    this.#root = root
  }

  /** Files first, then directories, from the innermost out. */
  remove(): void {
    const { inTheWay, now, target } = this.#plan
    for (const path of inTheWay) this.#in(path, (held, name) => unlinkSync(held.at(name)))
    const gone = [...now.entries]
      .filter(([path, { kind }]) => target.entries.get(path)?.kind !== kind)
      .toSorted(lastFirst)
    for (const [path, entry] of gone) {
      if (entry.kind === 'directory') continue
      this.#in(path, (held, name) => {
        if (this.#isStill(held, name, path)) unlinkSync(held.at(name))
      })
    }
    for (const [path, entry] of gone) if (entry.kind === 'directory') this.#removeDirectory(path)
  }

  /** With what git ignores still in it, it stays; where something else is to be, that is told. */
  #removeDirectory(path: string): void {
    const isReplaced = this.#plan.target.entries.has(path)
    this.#in(path, (held, name) => {
      try {
        rmdirSync(held.at(name))
      } catch (error) {
        const isFull = ['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')
        if (!isFull) throw error
        if (isReplaced) this.failed.set(path, 'a directory with ignored files is there now')
      }
    })
  }

  makeDirectories(): void {
    const { now, target } = this.#plan
    const missing = [...target.entries].filter(
      ([path, { kind }]) => kind === 'directory' && now.entries.get(path)?.kind !== kind,
    )
    for (const [path, { mode }] of missing.toSorted(lastFirst).toReversed()) {
      this.#in(path, (held, name) => {
        mkdirSync(held.at(name), { mode: workable })
        this.#modes.set(path, mode)
      })
    }
  }

  async write(contents: (ids: readonly string[]) => Contents): Promise<void> {
    const { now, target } = this.#plan
    const wanted = new Map<string, [path: string, entry: Entry][]>()
    for (const [path, entry] of target.entries) {
      const own = now.entries.get(path)
      if (entry.kind === 'directory') {
        if (own?.kind === 'directory' && own.mode !== entry.mode) this.#modes.set(path, entry.mode)
      } else if (own?.kind !== entry.kind || own.id !== entry.id || own.mode !== entry.mode) {
        const alike = wanted.get(entry.id ?? '')
        if (alike) alike.push([path, entry])
        else wanted.set(entry.id ?? '', [[path, entry]])
      }
    }
    for await (const [id, content] of contents([...wanted.keys()])) {
      for (const [path, entry] of wanted.get(id) ?? []) if (!this.failed.has(path)) this.#put(path, entry, content)
    }
  }

  /** Under another name first, so that it is there whole or not at all. */
  #put(path: string, entry: Entry, content: Buffer): void {
    this.#in(path, (held, name) => {
      if (!this.#isStill(held, name, path)) return
      const next = `.moat-restore-${randomBytes(6).toString('hex')}`
      try {
        if (entry.kind === 'link') symlinkSync(systemName(content.toString('latin1')), held.at(next))
        else writeNew(held, next, content, entry.mode)
        // Without a look that is older than the act, where nothing was.
        if (!this.#plan.now.entries.has(path) && entry.kind === 'file') {
          linkSync(held.at(next), held.at(name))
          unlinkSync(held.at(next))
        } else renameSync(held.at(next), held.at(name))
      } catch (error) {
        try {
          unlinkSync(held.at(next))
        } catch {
          // It was never there.
        }
        throw error
      }
    })
  }

  /** Modes of directories last: one may forbid what was to be done in it. */
  setModes(): void {
    for (const [path, mode] of [...this.#modes].toSorted(lastFirst)) {
      this.#attempt(path, () => {
        try {
          this.#setMode(path, mode)
        } catch (error) {
          // It was opened up to be emptied, and is gone.
          if (systemCode(error) !== 'ENOENT' || this.#plan.target.entries.has(path)) throw error
        }
      })
    }
  }

  #setMode(path: string, mode: number): void {
    const held = this.#root.descend(path)
    try {
      if (held.mode() !== mode) held.setMode(mode)
    } finally {
      held.close()
    }
  }

  /** Acts in the directory that `path` lies in. */
  #in(path: string, action: (held: HeldDirectory, name: string) => void): void {
    const cut = path.lastIndexOf('/')
    const directory = path.slice(0, Math.max(0, cut))
    this.#attempt(path, () => {
      const held = this.#root.descend(directory)
      try {
        const mode = held.mode()
        if ((mode & workable) !== workable && directory !== '') {
          held.setMode(mode | workable)
          if (!this.#modes.has(directory))
            this.#modes.set(directory, this.#plan.target.entries.get(directory)?.mode ?? mode)
        }
        action(held, path.slice(cut + 1))
      } finally {
        held.close()
      }
    })
  }

  #attempt(path: string, action: () => void): void {
    try {
      action()
    } catch (error) {
      const code = systemCode(error)
      if (code === undefined) throw error
      if (!this.failed.has(path)) this.failed.set(path, reasonOf(code, error))
    }
  }

  /** True if it is what was looked at, of which there is a snapshot; or nothing, where nothing was. */
  #isStill(held: HeldDirectory, name: string, path: string): boolean {
    const found = held.stats(name)
    const entry = this.#plan.now.entries.get(path)
    // Gone by now, or taken away a moment ago because it was of another kind.
    if (!found) return true
    const isSame =
      entry !== undefined &&
      found.ino === entry.inode &&
      found.size === entry.size &&
      found.mtimeMs === entry.modifiedMs
    if (!isSame) this.failed.set(path, 'it has changed meanwhile')
    return isSame
  }
}

function writeNew(held: HeldDirectory, name: string, content: Buffer, mode: number): void {
  const file = held.openFile(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    for (let at = 0; at < content.length; ) at += writeSync(file, content, at)
    fchmodSync(file, mode)
  } finally {
    closeSync(file)
  }
}

function lastFirst([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? 1 : one > other ? -1 : 0
}

function reasonOf(code: string, error: unknown): string {
  if (code === 'ELOOP' || code === 'ENOTDIR') return 'a directory above it is a link, or no directory, now'
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not change it'
  if (code === 'EEXIST') return 'it has changed meanwhile'
  return messageOf(error).replace(/,.*$/, '')
}
