// Owns that Caddy is never told to load an authority that it cannot use: each state of the files is proved once, before.
import { dirname } from 'node:path'
import { brokenAuthority, readAuthority } from '../authority/root.js'
import { validateAuthority } from '../caddy/validate-authority.js'
import type { MoatPaths } from '../config/paths.js'
import type { MoatError } from '../errors.js'
import { contentMark } from './file-mark.js'

type Paths = Pick<MoatPaths, 'caCertificate' | 'caKey' | 'caddyStorage' | 'nextAuthority' | 'publicCertificate'>

export class AuthorityGuard {
  readonly #binary: string
  readonly #paths: Paths
  #known: { error: unknown; mark: string } | undefined

  constructor(binary: string, paths: Paths) {
    this.#binary = binary
    this.#paths = paths
  }

  /** True when the files are not as they were when they were last looked at. */
  get isUnproved(): boolean {
    return this.#known?.mark !== this.#mark()
  }

  /** Rejects with CA_BROKEN when Caddy cannot use the files as they are now. */
  async assertSound(): Promise<void> {
    const mark = this.#mark()
    if (this.#known?.mark !== mark) this.#known = { error: await this.#examine(), mark }
    if (this.#known.error) throw this.#known.error
  }

  async #examine(): Promise<unknown> {
    const { caCertificate } = this.#paths
    try {
      if ((await readAuthority(this.#paths)) === undefined) return this.#broken(`${caCertificate} is missing`)
    } catch (error) {
      return error
    }
    const reason = await validateAuthority(this.#binary, this.#paths)
    return reason === undefined ? undefined : this.#broken(`Caddy cannot use it (${reason})`)
  }

  #broken(reason: string): MoatError {
    return brokenAuthority(dirname(this.#paths.caCertificate), reason)
  }

  #mark(): string {
    return [this.#paths.caCertificate, this.#paths.caKey].map((path) => contentMark(path) ?? 'none').join(' ')
  }
}
