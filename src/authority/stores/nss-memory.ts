// Owns leaving an NSS database as it was, byte for byte. certutil takes a certificate out again, but the database's files
// are other files then. So their bytes are kept before the first change, and put back if nothing else changed them since.
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, readlink, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { displayPath } from '../../config/paths.js'
import { messageOf } from '../../errors.js'
import type { Fingerprint } from '../roots.js'
import type { Step } from './store.js'

const files = ['cert9.db', 'key4.db', 'pkcs11.txt']

interface Memory {
  /** True when there was no database. */
  absent: boolean
  /** Directories that had to be made for it, outermost first. */
  made: string[]
  /** The root that was added, and what the files were right after that. */
  sealed?: { files: Record<string, string>; fingerprint: Fingerprint }
}

export class NssMemory {
  readonly #directory: string
  readonly #kept: string
  #memory: Memory | undefined

  /** `memory` is the directory in which all databases are remembered. */
  constructor(directory: string, memory: string) {
    this.#directory = directory
    this.#kept = join(memory, createHash('sha256').update(directory).digest('hex').slice(0, 12))
  }

  /** True when what is remembered is that there was no database. Known after `restoreStep`. */
  get wasAbsent(): boolean {
    return this.#memory?.absent ?? false
  }

  /** Forgets the bytes, which may hold keys of the user's. */
  forget(): Promise<void> {
    return rm(this.#kept, { force: true, recursive: true })
  }

  /** The step that puts the remembered bytes back; undefined when that would undo more than adding those roots. */
  async restoreStep(remove: readonly Fingerprint[]): Promise<Step | undefined> {
    this.#memory = await this.#read()
    const sealed = this.#memory?.sealed
    if (!this.#memory || !sealed || remove.length !== 1 || remove[0] !== sealed.fingerprint) return undefined
    const now = await this.#hashes()
    if (files.some((file) => now[file] !== sealed.files[file]) || (await this.#isOpen())) return undefined
    const memory = this.#memory
    return memory.absent
      ? { run: () => this.#removeDatabase(memory), text: this.#text('rm', files, this.#directory) }
      : { run: () => this.#putBack(), text: this.#text('cp', files, this.#kept, this.#directory) }
  }

  /** The step that remembers the bytes; undefined when there are remembered ones that are put back first. */
  async rememberStep({ known }: { known: boolean }): Promise<Step | undefined> {
    if (known) return undefined
    const present = Object.keys(await this.#hashes())
    const run = () => this.#remember(present)
    const make = `mkdir -p ${displayPath(this.#kept)}`
    if (present.length === 0) return { run, text: make }
    return { run, text: `${make} && ${this.#text('cp', present, this.#directory, this.#kept)}` }
  }

  /** Says that the files are now what adding the root made of them. */
  async seal(fingerprint: Fingerprint): Promise<void> {
    const memory = await this.#read()
    if (memory) await this.#write({ ...memory, sealed: { files: await this.#hashes(), fingerprint } })
  }

  async #remember(present: readonly string[]): Promise<void> {
    await rm(this.#kept, { force: true, recursive: true })
    await mkdir(this.#kept, { mode: 0o700, recursive: true })
    for (const file of present) await copyFile(join(this.#directory, file), join(this.#kept, file))
    const made: string[] = []
    for (let path = this.#directory; present.length === 0 && !(await isDirectory(path)); path = dirname(path)) {
      made.unshift(path)
    }
    await this.#write({ absent: present.length === 0, made })
  }

  async #putBack(): Promise<void> {
    for (const file of files) {
      // Into the files that are there, which keep their owner and mode.
      await copyFile(join(this.#kept, file), join(this.#directory, file)).catch(ignoreAbsent)
    }
    await this.#forgetSeal()
  }

  async #removeDatabase({ made }: Memory): Promise<void> {
    for (const file of files) await rm(join(this.#directory, file), { force: true })
    // Only what is empty goes.
    for (const directory of made.toReversed()) await rmdir(directory).catch(() => {})
    await this.#forgetSeal()
  }

  async #forgetSeal(): Promise<void> {
    const memory = await this.#read()
    if (memory) await this.#write({ absent: memory.absent, made: memory.made })
  }

  async #hashes(): Promise<Record<string, string>> {
    const hashes: Record<string, string> = {}
    for (const file of files) {
      const bytes = await readFile(join(this.#directory, file)).catch(ignoreAbsent)
      if (bytes) hashes[file] = createHash('sha256').update(bytes).digest('hex')
    }
    return hashes
  }

  /** True when a program may have the database open, which would not notice that its files change under it. */
  async #isOpen(): Promise<boolean> {
    const own = await readdir('/proc/self/fd').catch(() => undefined)
    // No way to find out here: certutil, which takes part in the database's own locking, is always right.
    if (!own) return true
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue
      const descriptors = await readdir(`/proc/${entry}/fd`).catch(() => [])
      const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${entry}/fd/${fd}`).catch(() => '')))
      if (links.some((link) => dirname(link) === this.#directory && files.includes(basename(link)))) return true
    }
    return false
  }

  async #read(): Promise<Memory | undefined> {
    const text = await readFile(join(this.#kept, 'memory.json'), 'utf8').catch(ignoreAbsent)
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as Memory
    } catch (error) {
      throw new Error(`${join(this.#kept, 'memory.json')} is not what moat wrote: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  #write(memory: Memory): Promise<void> {
    return writeFile(join(this.#kept, 'memory.json'), JSON.stringify(memory), { flush: true, mode: 0o600 })
  }

  #text(program: string, names: readonly string[], from: string, to?: string): string {
    const all = names.length > 1 ? `{${names.join(',')}}` : names.join('')
    return [program, `${displayPath(from)}/${all}`, ...(to === undefined ? [] : [`${displayPath(to)}/`])].join(' ')
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  )
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
