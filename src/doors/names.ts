// Owns a directory of empty files whose names say something. Only what has come to be wanted, or has ceased to be, is looked at;
// `read` finds what others have made or removed there. What is done takes microseconds, so it is done at once.
import { closeSync, linkSync, mkdirSync, openSync, rmdirSync, rmSync, unlinkSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../errors.js'

export class Names {
  readonly #directory: string
  /** What may have to be made or removed. */
  readonly #due = new Set<string>()
  /** One of the files, for others to be links to. */
  #model: string | undefined
  #present = new Set<string>()
  /** How many want each. */
  readonly #wanted = new Map<string, number>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** One that several want is there until all have dropped it. */
  want(name: string): void {
    this.#wanted.set(name, (this.#wanted.get(name) ?? 0) + 1)
    this.#due.add(name)
  }

  drop(name: string): void {
    const others = (this.#wanted.get(name) ?? 0) - 1
    if (others > 0) this.#wanted.set(name, others)
    else this.#wanted.delete(name)
    this.#due.add(name)
  }

  /** Makes those that are wanted and not there; those that are gone go with `clear`. */
  make(): void {
    for (const name of this.#due) {
      if (!this.#wanted.has(name) || this.#present.has(name)) continue
      this.#makeFile(join(this.#directory, name))
      this.#present.add(name)
    }
  }

  /** Removes those that are not wanted. To be called after `make`. */
  clear(): void {
    for (const name of this.#due) {
      if (this.#wanted.has(name) || !this.#present.has(name)) continue
      const path = join(this.#directory, name)
      removeFile(path)
      this.#present.delete(name)
      // As an earlier moat had them.
      if (name.includes('/')) removeEmpty(dirname(path))
    }
    this.#due.clear()
  }

  /** Another name for a file that is there costs a third of a file. */
  #makeFile(path: string): void {
    if (this.#model !== undefined && isLinked(this.#model, path)) return
    createFile(path)
    this.#model = path
  }

  /** What an earlier supervisor left, and what somebody has removed since. */
  async read(): Promise<void> {
    await mkdir(this.#directory, { mode: 0o700, recursive: true })
    // What was made or removed meanwhile is made or removed once more.
    this.#present = new Set(await namesBelow(this.#directory))
    for (const name of this.#present) if (!this.#wanted.has(name)) this.#due.add(name)
    for (const name of this.#wanted.keys()) if (!this.#present.has(name)) this.#due.add(name)
  }
}

/** Of the directory and of those in it. */
async function namesBelow(directory: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) {
      names.push(entry.name)
      continue
    }
    // It may have gone with its last name.
    const inner = await readdir(join(directory, entry.name)).catch(ifGone)
    names.push(...inner.map((name) => join(entry.name, name)))
  }
  return names
}

function ifGone(error: unknown): string[] {
  if (systemCode(error) !== 'ENOENT') throw error
  return []
}

/** False where the file is gone, has as many names as it may have, or something has this name. */
function isLinked(file: string, path: string): boolean {
  try {
    linkSync(file, path)
    return true
  } catch {
    return false
  }
}

function createFile(path: string): void {
  const create = () => closeSync(openSync(path, 'w', 0o600))
  try {
    create()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    mkdirSync(dirname(path), { mode: 0o700, recursive: true })
    create()
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone, or what somebody else has put in its place.
    rmSync(path, { force: true, recursive: true })
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error
  }
}
