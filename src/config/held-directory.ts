// Owns working in a directory that others write, by what was opened and not by its path: whatever is put in the place of a directory
// meanwhile, nothing is read or written elsewhere. Names are raw, see raw-name.ts.
import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, readdirSync, type Stats } from 'node:fs'
import { systemName } from './raw-name.js'

/** macOS has no way to name a file by an open directory; there a whole path is opened with no link in it followed. */
const noFollowAny = 0x2000_0000
const noFollow = process.platform === 'darwin' ? noFollowAny : constants.O_NOFOLLOW

export class HeldDirectory {
  #fd: number
  readonly #path: string

  private constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  /** `path` is a real path. Fails for a link. */
  static open(path: string): HeldDirectory {
    return HeldDirectory.#open(path, path)
  }

  /** The directory `name` in this one. Fails for a link, and for what is no directory. */
  child(name: string): HeldDirectory {
    return HeldDirectory.#open(this.at(name), `${this.#path}/${name}`)
  }

  /** The directory at the end of `path` below this one, each on the way opened by itself; `''` is this one again. */
  descend(path: string): HeldDirectory {
    let held: HeldDirectory = HeldDirectory.#open(this.at('.'), this.#path)
    for (const name of path === '' ? [] : path.split('/')) {
      const outer = held
      try {
        held = outer.child(name)
      } finally {
        outer.close()
      }
    }
    return held
  }

  static #open(path: Buffer | string, shown: string): HeldDirectory {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK | noFollow
    return new HeldDirectory(openSync(path, flags), shown)
  }

  /** What a system call takes for `name` in this directory. The last part is followed unless the call says otherwise. */
  at(name: string): Buffer | string {
    return systemName(process.platform === 'linux' ? `/proc/self/fd/${this.#fd}/${name}` : `${this.#path}/${name}`)
  }

  names(): string[] {
    return readdirSync(this.at('.'), { encoding: 'latin1' })
  }

  /** Undefined if it is not there. */
  stats(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false })
  }

  mode(): number {
    return fstatSync(this.#fd).mode & 0o7777
  }

  setMode(mode: number): void {
    fchmodSync(this.#fd, mode)
  }

  /** Opens a file. A link is not followed, a pipe not waited for. */
  openFile(name: string, flags: number = constants.O_RDONLY, mode?: number): number {
    return openSync(this.at(name), flags | constants.O_NONBLOCK | noFollow, mode)
  }

  /** More than once is fine: the number may be another file's by then. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }
}
