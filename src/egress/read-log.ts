// Owns reading what agents have reached and not reached, as it was written down, also of agents that are gone.
import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { systemCode } from '../errors.js'
import type { NetworkLogEntry } from './policy.js'

type Paths = Pick<MoatPaths, 'home'>

const fileName = /^(run_[0-9a-f]{12})\.jsonl$/
/** Bytes; twice what is kept of a run. */
const mostBytes = 16 * 1024 * 1024

/** `~/.moat/egress/<run id>.jsonl`, and before it the same with `.1`. */
export function networkLogFile({ home }: Paths, runId: string): string {
  return join(home, 'egress', `${runId}.jsonl`)
}

/** The runs that something was written down of. */
export async function loggedRuns({ home }: Paths): Promise<string[]> {
  const names = await readdir(join(home, 'egress')).catch((error) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  return names.flatMap((name) => fileName.exec(name)?.[1] ?? [])
}

/** What is in the files that were replaced by the present ones, which `LogTail` reads. */
export async function readOlder(paths: Paths, runIds: readonly string[]): Promise<NetworkLogEntry[]> {
  const texts = await Promise.all(runIds.map((runId) => readFrom(`${networkLogFile(paths, runId)}.1`, 0)))
  return texts.flatMap(({ text }) => parseLines(text))
}

/** The oldest first. */
export function inOrder(entries: readonly NetworkLogEntry[]): NetworkLogEntry[] {
  return entries.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

/** What is written down of one run, and, asked again, what has come since. */
export class LogTail {
  readonly #file: string
  #inode = 0
  #offset = 0
  #rest = ''

  constructor(paths: Paths, runId: string) {
    this.#file = networkLogFile(paths, runId)
  }

  async next(): Promise<NetworkLogEntry[]> {
    let { inode, size, text } = await readFrom(this.#file, this.#offset)
    // Another file: the one that was read has become its predecessor, which may have more than was seen.
    let missed = ''
    if (this.#inode !== 0 && inode !== this.#inode) {
      const old = await readFrom(`${this.#file}.1`, this.#offset)
      if (old.inode === this.#inode) missed = old.text
      ;({ inode, size, text } = await readFrom(this.#file, 0))
    }
    this.#inode = inode
    this.#offset = size
    const lines = `${this.#rest}${missed}${text}`
    const end = lines.lastIndexOf('\n') + 1
    this.#rest = lines.slice(end)
    return parseLines(lines.slice(0, end))
  }
}

/** Nothing for a file that is not there. */
async function readFrom(file: string, offset: number): Promise<{ inode: number; size: number; text: string }> {
  let handle: FileHandle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { inode: 0, size: 0, text: '' }
    throw error
  }
  try {
    const { ino, size } = await handle.stat()
    const length = Math.min(Math.max(0, size - offset), mostBytes)
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, Math.min(offset, size))
    return { inode: ino, size: Math.min(offset, size) + length, text: buffer.toString('utf8') }
  } finally {
    await handle.close()
  }
}

/** A line that is not whole, as after a crash, says nothing. */
function parseLines(text: string): NetworkLogEntry[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return []
    try {
      const entry = JSON.parse(line) as NetworkLogEntry
      return typeof entry.time === 'string' && typeof entry.host === 'string' ? [entry] : []
    } catch {
      return []
    }
  })
}
