// Owns who may do more on the dashboard than look: whoever proves to have been let in by this user's moat, in a browser
// of this user, on the dashboard's own page. docs/guides/dashboard.md says against whom each check stands.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isOwnConnection } from './peer-user.js'

/** How long a key that `moat open` got is good for. Milliseconds. */
const keyLife = 60_000

export const tokenHeader = 'x-moat-token'

export interface ActionRequest {
  /** Address and port that the request came from, in Caddy's words. */
  client: string
  headers: IncomingHttpHeaders
  method: string
  /** `https://localhost:8080` */
  origin: string
  port: number
}

export class DashboardKeys {
  /** Dies with the supervisor. */
  readonly #token = randomBytes(32).toString('base64url')
  readonly #keys = new Map<string, number>()

  /** A key for one browser, good once and for a minute. Given out over the control socket only. */
  issue(now = performance.now()): string {
    for (const [key, end] of this.#keys) if (end < now) this.#keys.delete(key)
    const key = randomBytes(24).toString('base64url')
    this.#keys.set(key, now + keyLife)
    return key
  }

  /** The token for a key; undefined for one that was not given out, was used, or is too old. */
  redeem(key: unknown, now = performance.now()): string | undefined {
    if (typeof key !== 'string') return undefined
    const end = this.#keys.get(key)
    this.#keys.delete(key)
    return end !== undefined && end >= now ? this.#token : undefined
  }

  /** Why a request may not act; undefined when it may. */
  async refusalOf(request: ActionRequest): Promise<string | undefined> {
    const elsewhere = await this.refusalOfOrigin(request)
    if (elsewhere !== undefined) return elsewhere
    return same(request.headers[tokenHeader], this.#token) ? undefined : 'token'
  }

  /** Why a request cannot come from the dashboard's own page in a browser of this user. */
  async refusalOfOrigin({ client, headers, method, origin, port }: ActionRequest): Promise<string | undefined> {
    if (`https://${headers.host}` !== origin) return 'host'
    // Browsers leave `Origin` out of a GET within one origin.
    if (headers.origin === undefined ? method !== 'GET' : headers.origin !== origin) return 'origin'
    if (headers['sec-fetch-site'] !== undefined && headers['sec-fetch-site'] !== 'same-origin') return 'origin'
    return (await isOwnConnection(client, port)) ? undefined : 'user'
  }
}

function same(given: string | string[] | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(String(given ?? '')), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
