// Owns a directory of empty files whose names say something: made and removed until they are the ones that are wanted.
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../errors.js'

export class Names {
  readonly #directory: string
  #present: Set<string> | undefined
  #readAt = 0
  readonly #trustedFor: number

  /** @param trustedFor how long it is taken to be as it was left. Milliseconds. */
  constructor(directory: string, trustedFor: number) {
    this.#directory = directory
    this.#trustedFor = trustedFor
  }

  /** `wanted` are names, or a directory and a name. New ones are there at once; those that are gone go with `remove`. */
  async add(wanted: ReadonlySet<string>): Promise<void> {
    const present = await this.#read()
    for (const name of wanted) {
      if (present.has(name)) continue
      await mkdir(dirname(join(this.#directory, name)), { mode: 0o700, recursive: true })
      await writeFile(join(this.#directory, name), '', { mode: 0o600 })
      present.add(name)
    }
  }

  /** Removes all but `wanted`. */
  async keepOnly(wanted: ReadonlySet<string>): Promise<void> {
    const present = await this.#read()
    for (const name of present) {
      if (wanted.has(name)) continue
      await rm(join(this.#directory, name), { force: true, recursive: true })
      present.delete(name)
      if (name.includes('/')) await rmdir(dirname(join(this.#directory, name))).catch(ignoreUsed)
    }
  }

  /** What an earlier supervisor left, and what somebody has removed since. */
  async #read(): Promise<Set<string>> {
    if (this.#present && performance.now() - this.#readAt < this.#trustedFor) return this.#present
    this.#readAt = performance.now()
    await mkdir(this.#directory, { mode: 0o700, recursive: true })
    const entries = await readdir(this.#directory, { recursive: true, withFileTypes: true })
    const prefix = this.#directory.length + 1
    const files = entries.filter((entry) => !entry.isDirectory())
    this.#present = new Set(files.map(({ name, parentPath }) => join(parentPath, name).slice(prefix)))
    return this.#present
  }
}

function ignoreUsed(error: unknown): void {
  if (!['ENOENT', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error
}
