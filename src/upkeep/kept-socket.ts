// Owns the place of a socket of Caddy's: it goes on listening when the file is removed or replaced, but nobody finds it any more.
// A second name of the same socket, a hard link, brings it back without a word to Caddy.
import { chmod, link, lstat, rm } from 'node:fs/promises'
import { clearPath } from '../config/clear-path.js'
import { fileMark } from './file-mark.js'

export class KeptSocket {
  readonly #kept: string
  readonly #path: string
  #mark: string | undefined

  constructor(path: string) {
    this.#path = path
    this.#kept = path.replace(/\.sock$/, '.kept')
  }

  /** False when something else, or nothing, is in the socket's place. */
  get isInPlace(): boolean {
    return this.#mark !== undefined && fileMark(this.#path) === this.#mark
  }

  /** To be called when Caddy is known to listen there. */
  async remember(): Promise<void> {
    this.#mark = fileMark(this.#path)
    if (this.#mark === undefined || fileMark(this.#kept) === this.#mark) return
    await clearPath(this.#kept).catch(() => {})
    // Not every file system has links to sockets: there Caddy is replaced.
    await link(this.#path, this.#kept).catch(() => {})
  }

  /** As `remember`, of a Caddy that was out of sight: what lies there may be another's by now. */
  async find(): Promise<void> {
    const kept = fileMark(this.#kept)
    if (kept !== undefined && kept !== fileMark(this.#path)) await this.restore()
    await this.remember()
  }

  /** Puts the socket back; false when there is nothing to put back. */
  async restore(): Promise<boolean> {
    const kept = await lstat(this.#kept).catch(() => undefined)
    if (!kept?.isSocket()) return false
    try {
      await clearPath(this.#path)
      await link(this.#kept, this.#path)
      await chmod(this.#path, 0o600)
    } catch {
      return false
    }
    this.#mark = fileMark(this.#path)
    return true
  }

  /** Before another Caddy makes its own. */
  async clear(): Promise<void> {
    this.#mark = undefined
    await clearPath(this.#path)
    await rm(this.#kept, { force: true, recursive: true })
  }
}
