// Owns writing down what agents have reached and not reached: a file for each run, bounded, whatever its agent does.
import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import type { NetworkLogEntry } from '../egress/policy.js'
import { networkLogFile } from '../egress/read-log.js'
import { messageOf, systemCode } from '../errors.js'

/** A file this long becomes the predecessor of the next. Bytes. */
const longestFile = 4_000_000
/** What happens together is written together. Milliseconds. */
const gatherTime = 100
/** So many lines of one run are kept for one write; what is more in that time is noise, and lost. */
const mostLines = 1_000

export class NetworkLog {
  readonly #paths: Pick<MoatPaths, 'home'>
  readonly #log: (message: string) => void
  readonly #lines = new Map<string, string[]>()
  #complaint = ''
  #isClosed = false
  #scheduled: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(paths: Pick<MoatPaths, 'home'>, log: (message: string) => void) {
    this.#paths = paths
    this.#log = log
  }

  add(entry: NetworkLogEntry): void {
    if (this.#isClosed) return
    const lines = this.#lines.get(entry.runId) ?? []
    this.#lines.set(entry.runId, lines)
    if (lines.length < mostLines) lines.push(`${JSON.stringify(entry)}\n`)
    this.#scheduled ??= setTimeout(() => void this.flush(), gatherTime)
  }

  /** Resolves when all that was added is written. */
  flush(): Promise<void> {
    clearTimeout(this.#scheduled)
    this.#scheduled = undefined
    const pending = [...this.#lines]
    this.#lines.clear()
    this.#writing = this.#writing.then(async () => {
      for (const [runId, lines] of pending) await this.#write(runId, lines).catch((error) => this.#complain(error))
    })
    return this.#writing
  }

  /** The same; what is added afterwards is not written. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.flush()
  }

  async #write(runId: string, lines: readonly string[]): Promise<void> {
    const file = networkLogFile(this.#paths, runId)
    await mkdir(dirname(file), { mode: 0o700, recursive: true })
    const text = lines.join('')
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    )
    if (size > 0 && size + text.length > longestFile) await rename(file, `${file}.1`)
    await appendFile(file, text, { mode: 0o600 })
  }

  /** A disk that is full is told of once, and no reason to stop. */
  #complain(error: unknown): void {
    const complaint = systemCode(error) ?? messageOf(error)
    if (complaint !== this.#complaint) this.#log(`the network log cannot be written: ${messageOf(error)}`)
    this.#complaint = complaint
  }
}
