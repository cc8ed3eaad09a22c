// Owns for how long a value is remembered that had to be asked for: by this process, and nowhere else.
import { isDeepStrictEqual } from 'node:util'
import type { Grant } from './grant.js'
import { formatGrant, type GrantName, type Secret } from './injection.js'
import { type ReadOptions, type ReadValue, readValue } from './read-value.js'

/** Milliseconds. */
const kept = 5 * 60_000
/** A value is not used until the very end of it. */
const margin = 30_000
/** A command that fails is not run for every request. */
const failureKept = 10_000
/** A service that says 401 to everything does not have the command run for each. */
const leastAge = 10_000

interface Entry {
  askedAt: number
  /** Of when the value was asked for. */
  grant: Grant
  until: number
  value: Promise<ReadValue>
}

export interface ValueCacheOptions extends ReadOptions {
  /** Milliseconds since 1970. */
  now?: () => number
  read?: typeof readValue
}

export class ValueCache {
  readonly #entries = new Map<string, Entry>()

  constructor(private readonly options: ReadOptions & { now?: () => number; read?: typeof readValue } = {}) {}

  /** Rejects with GRANT_VALUE. */
  async valueOf(grant: Grant): Promise<Secret> {
    const { now = Date.now, read = readValue } = this.options
    const key = formatGrant(grant)
    const known = this.#entries.get(key)
    if (known && known.until > now() && isDeepStrictEqual(known.grant, grant)) return (await known.value).secret
    const entry: Entry = { askedAt: now(), grant, until: Number.POSITIVE_INFINITY, value: read(grant, this.options) }
    // At once: whoever asks meanwhile waits for the same.
    this.#entries.set(key, entry)
    try {
      const { expiresAt, secret } = await entry.value
      const usual = now() + (isRemembered(grant) ? kept : 0)
      entry.until = expiresAt === undefined ? usual : Math.min(usual, expiresAt - margin)
      return secret
    } catch (error) {
      entry.until = now() + failureKept
      throw error
    }
  }

  /** The service has refused it. */
  forget(name: GrantName): void {
    const { now = Date.now } = this.options
    const key = formatGrant(name)
    const entry = this.#entries.get(key)
    if (entry && now() - entry.askedAt >= leastAge) this.#entries.delete(key)
  }
}

/** What costs nothing to read is read each time. */
function isRemembered({ source }: Grant): boolean {
  return source.kind === 'command' || source.kind === 'op'
}
