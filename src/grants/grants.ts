// Owns the face of this room to the supervisor: where the proxy has to ask for values, and the value for one request.
import type { MoatPaths } from '../config/paths.js'
import type { GrantedPlace } from '../egress/opened-hosts.js'
import type { SshAccess } from '../ssh/access.js'
import { type Grant, injectionsOf } from './grant.js'
import { placesOf, setQuery } from './granted-places.js'
import { type Injection, inject, injectionFor, parseGrant, type Secret, tracesOf } from './injection.js'
import { pathMatches } from './path-matches.js'
import { grantMark, readGrant } from './store.js'
import { ValueCache, type ValueCacheOptions } from './value-cache.js'

/** A request of an agent, as the proxy asks about it. */
export interface ValueQuestion {
  /** As in GrantedPlace. */
  grant: string
  host: string
  /** As it was sent. */
  path: string
  port: number
}

/** What one request is given, and what must not be in the answer to it. */
export interface RequestSecrets {
  /** By lower-case name. */
  headers: Record<string, string>
  /** In the order of the place's `query`. */
  query: string[]
  /** Forms of the value to be taken out of the answer's headers. The longest first, none of them short. */
  traces: string[]
}

export class Grants {
  readonly #known = new Map<string, { grant: Grant; mark: string }>()
  readonly #values: ValueCache

  constructor(
    private readonly paths: Pick<MoatPaths, 'grants'>,
    options: ValueCacheOptions = {},
  ) {
    this.#values = new ValueCache({ ...options, unheard: true })
  }

  /**
   * Where the proxy has to ask for values, of the grants that a container's label names. Those that were revoked or cannot be read
   * have none. Never rejects.
   */
  async placesOf(
    names: readonly string[] = [],
    complain: (error: unknown) => void = () => {},
  ): Promise<GrantedPlace[]> {
    const read = names.map((text) =>
      this.#read(text).catch((error: unknown) => {
        complain(error)
        return undefined
      }),
    )
    const grants = (await Promise.all(read)).filter((grant) => grant !== undefined)
    return placesOf(grants.flatMap(injectionsOf))
  }

  /**
   * To be asked for each request: the store is read anew, so that what was revoked or changed counts at once, also where the
   * proxy's config is still of before. Undefined for a request that gets nothing. Rejects with a MoatError when its value cannot
   * be had.
   */
  async secretsFor({ grant: name, host, path, port }: ValueQuestion): Promise<RequestSecrets | undefined> {
    const grant = await this.#read(name)
    if (!grant) return undefined
    const plan = planFor(grant, host.toLowerCase(), port)
    const injection = plan.here.find(({ paths }) => pathMatches(paths, path))
    if (!injection) return undefined
    return filled(plan, injection, await this.#values.valueOf(grant))
  }

  /** What these grants allow by ssh now: nothing, once they were revoked. Never rejects. */
  async accessesOf(names: readonly string[], complain: (error: unknown) => void = () => {}): Promise<SshAccess[]> {
    const read = names.map((text) => this.#read(text).catch((error: unknown) => void complain(error)))
    return (await Promise.all(read)).flatMap((grant) => (grant?.source.kind === 'ssh' ? [grant.source.access] : []))
  }

  /** Another text whenever a grant is another; undefined for one that was revoked. */
  markOf(name: string): string | undefined {
    return grantMark(this.paths.grants, parseGrant(name))
  }

  /** To be told of each 401 to an agent with these grants: what was remembered of a value is then asked for anew. */
  async refused(names: readonly string[], { host, path, port }: Omit<ValueQuestion, 'grant'>): Promise<void> {
    for (const text of names) {
      const grant = await this.#read(text).catch(() => undefined)
      if (grant && injectionFor(injectionsOf(grant), { host: host.toLowerCase(), path, port }))
        this.#values.forget(grant)
    }
  }

  /** For each request, so what has not changed is not decrypted again, nor is the keychain asked. */
  async #read(text: string): Promise<Grant | undefined> {
    const name = parseGrant(text)
    const mark = grantMark(this.paths.grants, name)
    const known = this.#known.get(text)
    if (mark !== undefined && known?.mark === mark) return known.grant
    this.#known.delete(text)
    const grant = await readGrant(this.paths.grants, name)
    if (grant && mark !== undefined) this.#known.set(text, { grant, mark })
    return grant
  }
}

/** What does not change from one request to the same place to the next, as long as grant and value are what they were. */
interface Plan {
  filled: Map<Injection, { secret: Secret; secrets: RequestSecrets }>
  here: Injection[]
  /** Names, in the order of the place. */
  query: readonly string[] | undefined
}

/** By host and port. A grant that is read anew is another object, and what was made of the last one goes with it. */
const plans = new WeakMap<Grant, Map<string, Plan>>()
/** Those that a grant names are few; who asks has been sent there by one. */
const mostPlaces = 256

function planFor(grant: Grant, host: string, port: number): Plan {
  const known = plans.get(grant) ?? new Map<string, Plan>()
  plans.set(grant, known)
  const key = `${host}:${port}`
  const plan = known.get(key)
  if (plan) return plan
  const here = injectionsOf(grant).filter(({ hosts, ports }) => hosts.includes(host) && ports.includes(port))
  const made: Plan = { filled: new Map(), here, query: placesOf(here)[0]?.query }
  if (known.size < mostPlaces) known.set(key, made)
  return made
}

function filled({ filled: known, query: place }: Plan, injection: Injection, secret: Secret): RequestSecrets {
  const before = known.get(injection)
  if (before?.secret === secret) return before.secrets
  const { headers, query } = inject(injection, secret)
  const names = place ?? setQuery(injection)
  const secrets = { headers, query: names.map((one) => query[one] ?? ''), traces: tracesOf(injection, secret) }
  known.set(injection, { secret, secrets })
  return secrets
}
