// Owns that Caddy is never told to load an authority that it cannot use: each state of the files is proved once, before.
import { dirname } from 'node:path'
import { type AuthorityPaths, assertPermits, brokenAuthority, readAuthority } from '../authority/root.js'
import { validateAuthority } from '../caddy/validate-authority.js'
import type { MoatError } from '../errors.js'
import { contentMark } from './file-mark.js'

export interface AuthorityGuardOptions {
  /** Path of the program. */
  binary: string
  domain: string
  paths: AuthorityPaths
}

export class AuthorityGuard {
  readonly #options: AuthorityGuardOptions
  #known: { error: unknown; mark: string } | undefined
  #read: string | undefined

  constructor(options: AuthorityGuardOptions) {
    this.#options = options
  }

  /** True when the files are not as they were when they were last looked at. */
  get isUnproved(): boolean {
    return this.#known?.mark !== this.#mark()
  }

  /** Rejects with CA_BROKEN when Caddy cannot use the files as they are now, or with CA_DOMAIN. */
  async assertSound(): Promise<void> {
    const mark = this.#mark()
    if (this.#known?.mark !== mark) this.#known = { error: await this.#examine(), mark }
    if (this.#known.error) throw this.#known.error
  }

  /** The same, as far as moat itself can tell: for a Caddy that is about to be started, and finds out the rest. */
  async assertReadable(): Promise<void> {
    const { domain, paths } = this.#options
    this.#read = this.#mark()
    const certificate = await readAuthority(paths)
    if (certificate === undefined) throw this.#broken(`${paths.caCertificate} is missing`)
    assertPermits(certificate, domain)
  }

  /** Caddy has started with what was readable. */
  started(): void {
    if (this.#read !== undefined) this.#known = { error: undefined, mark: this.#read }
  }

  async #examine(): Promise<unknown> {
    try {
      await this.assertReadable()
    } catch (error) {
      return error
    }
    const reason = await validateAuthority(this.#options.binary, this.#options.paths)
    return reason === undefined ? undefined : this.#broken(`Caddy cannot use it (${reason})`)
  }

  #broken(reason: string): MoatError {
    return brokenAuthority(dirname(this.#options.paths.caCertificate), reason)
  }

  #mark(): string {
    const { caCertificate, caKey } = this.#options.paths
    return [caCertificate, caKey].map((path) => contentMark(path) ?? 'none').join(' ')
  }
}
