// Owns the face of this room to the supervisor: what to put into requests for an agent's grants, and the value for one request.
import { isDeepStrictEqual } from 'node:util'
import type { MoatPaths } from '../config/paths.js'
import { injectionsOf } from './grant.js'
import { type Injected, type Injection, inject, parseGrant, tracesOf } from './injection.js'
import { readGrant } from './store.js'
import { ValueCache } from './value-cache.js'

/** What a request that gets a value is given, and what must not be in the answer to it. */
export interface RequestSecrets extends Injected {
  /** To be taken out of the answer's headers. The longest first, none of them short. */
  traces: string[]
}

export class Grants {
  readonly #values = new ValueCache()

  constructor(private readonly paths: Pick<MoatPaths, 'grants'>) {}

  /** Of the grants that a container's label names; those that were revoked or cannot be read have none. Never rejects. */
  async injectionsOf(names: readonly string[], complain: (error: unknown) => void = () => {}): Promise<Injection[]> {
    const all = await Promise.all(
      names.map(async (text) => {
        const { name, profile } = parseGrant(text)
        const grant = await readGrant(this.paths.grants, { name, profile }).catch((error: unknown) => {
          complain(error)
          return undefined
        })
        return grant ? injectionsOf(grant) : []
      }),
    )
    return all.flat()
  }

  /**
   * For one request, to be asked for each: the store is read anew, so that what was revoked or changed counts at once. Undefined
   * when there is no such grant any more. Rejects with a MoatError when its value cannot be had.
   */
  async secretsFor(injection: Injection): Promise<RequestSecrets | undefined> {
    const grant = await readGrant(this.paths.grants, { name: injection.grant, profile: injection.profile })
    // One that was granted anew meanwhile may be for other hosts than the proxy's config knows.
    if (!grant || !injectionsOf(grant).some((one) => isDeepStrictEqual(one, injection))) return undefined
    const secret = await this.#values.valueOf(grant)
    return { ...inject(injection, secret), traces: tracesOf(injection, secret) }
  }

  /** To be told of each 401 of a host: what was remembered of a value is then asked for anew. */
  refused({ grant, profile }: Pick<Injection, 'grant' | 'profile'>): void {
    this.#values.forget({ name: grant, profile })
  }
}
