// Owns the notes of which agents are held still: written before an agent is paused and removed when it is awake, so that whoever
// comes next wakes those whose holder was killed. Agents of every moat are held, so the notes are in one place for all of a user's.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { lstat, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { MoatError } from '../errors.js'
import { type FileLock, tryFileLock } from '../processes/file-lock.js'

export interface Hold {
  /** Of the engine that has the container. */
  address: string
  containerId: string
}

export interface NotedHold extends Hold {
  /** Milliseconds since the epoch. */
  since: number
}

const suffix = '.hold'

export class Holds {
  readonly directory: string

  constructor(directory = holdsDirectory()) {
    this.directory = directory
  }

  /** Whoever holds agents has it, so that with it in hand every note is one that was left behind. Its holder's death frees it. */
  async lock(deadline: number): Promise<FileLock | undefined> {
    await mkdir(this.directory, { mode: 0o700, recursive: true })
    if (!(await this.#isOwn())) {
      const message = `${this.directory} is not only yours to write, and moat would keep notes there.`
      throw new MoatError('FORBIDDEN', message, { suggestions: [`ls -ld ${this.directory}`] })
    }
    return tryFileLock(join(this.directory, 'lock'), deadline)
  }

  async add(hold: Hold): Promise<void> {
    await writeFile(this.#fileOf(hold.containerId), hold.address, { mode: 0o600 })
  }

  async remove(containerId: string): Promise<void> {
    await rm(this.#fileOf(containerId), { force: true })
  }

  /** None where they cannot be read. */
  async all(): Promise<NotedHold[]> {
    const names = (await this.#isOwn()) ? await readdir(this.directory).catch(() => []) : []
    const ids = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length))
    const known = await Promise.all(
      ids
        .filter((id) => /^[0-9a-f]{12,64}$/.test(id))
        .map(async (containerId) => {
          const file = this.#fileOf(containerId)
          const [address, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)])
          return { address, containerId, since: mtimeMs }
        })
        // Removed between the two looks.
        .map((read) => read.catch(() => undefined)),
    )
    return known.flatMap((one) => one ?? [])
  }

  async #isOwn(): Promise<boolean> {
    const found = await lstat(this.directory).catch(() => undefined)
    return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0
  }

  #fileOf(containerId: string): string {
    return join(this.directory, `${containerId}${suffix}`)
  }
}

/** `MOAT_HOME` does not move it. */
export function holdsDirectory(userHome: string = homedir()): string {
  const moat = join(userHome, '.moat')
  const usual = join(moat, 'holds')
  // A user without a home of its own, as in some containers, or in another's, as with sudo.
  const isOwn = isOwnAndWritable([usual, moat, userHome].find((path) => existsSync(path)) ?? userHome)
  return isOwn ? usual : join(tmpdir(), `moat-holds-${process.getuid?.()}`)
}

function isOwnAndWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return statSync(path).uid === process.getuid?.()
  } catch {
    return false
  }
}
