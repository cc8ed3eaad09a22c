// Owns which routes of endpoint types Caddy takes, so that a bad one costs its own endpoint and nobody else's.
import { rejectedRoutes } from '../caddy/responses.js'
import { validateRoutes } from '../caddy/validate-routes.js'
import { MoatError } from '../errors.js'
import type { CaddyRoute } from '../routing/agent.js'
import type { HostRoutes, RouteTable } from '../routing/route-table.js'
import type { RouteQuestion } from './protocol.js'

/** Verdicts remembered. Routes with a password have a new hash at each start, so there is no end to them. */
const mostVerdicts = 1_000

export class RouteCheck {
  readonly #binary: string
  /** Routes as JSON, to why Caddy does not take them; undefined when it does. */
  readonly #reasons = new Map<string, string | undefined>()

  constructor(binary: string) {
    this.#binary = binary
  }

  /** The table with an answer that says so in place of routes that Caddy does not take. */
  accepted(table: RouteTable): RouteTable {
    const hostRoutes = table.hostRoutes.map((one): HostRoutes => {
      if (this.#reasonOf(one) === undefined) return one
      return { ...one, routes: rejectedRoutes(one.plugin, one.endpoint) }
    })
    return { ...table, hostRoutes }
  }

  /** Has Caddy look at routes it has not seen. True when it does not take some of them. */
  async examine(all: readonly Pick<HostRoutes, 'routes'>[]): Promise<boolean> {
    const fresh = all.filter(({ routes }) => routes.length > 0 && !this.#reasons.has(keyOf(routes)))
    if (fresh.length === 0) return false
    const together = await validateRoutes(
      this.#binary,
      fresh.flatMap(({ routes }) => wrapped(routes)),
    )
    let rejected = false
    for (const { routes } of fresh) {
      const reason = together === undefined ? undefined : await validateRoutes(this.#binary, wrapped(routes))
      this.#remember(routes, reason)
      rejected ||= reason !== undefined
    }
    // Each is fine, all at once are not: none is to blame, and none may take the others down.
    if (together !== undefined && !rejected) for (const { routes } of fresh) this.#remember(routes, together)
    return together !== undefined
  }

  /** Rejects with PLUGIN_FAILED for the first routes that Caddy does not take. */
  async assertAccepted(questions: readonly RouteQuestion[]): Promise<void> {
    await this.examine(questions)
    for (const { endpoint, plugin, routes } of questions) {
      const reason = this.#reasons.get(keyOf(routes))
      if (reason === undefined) continue
      const message = `Plugin ${plugin} made routes for the endpoint ${endpoint} that Caddy rejects: ${reason}.`
      throw new MoatError('PLUGIN_FAILED', message, { suggestions: [`moat plugins inspect ${plugin}`] })
    }
  }

  /** One sentence for each endpoint whose routes are not served; undefined when there is none. */
  describe({ hostRoutes }: RouteTable): string | undefined {
    const sentences = hostRoutes.flatMap((one) => {
      const reason = this.#reasonOf(one)
      if (reason === undefined) return []
      return [`Caddy rejects the routes of ${one.agent}'s endpoint ${one.endpoint} (plugin ${one.plugin}): ${reason}.`]
    })
    return sentences.length > 0 ? sentences.join(' ') : undefined
  }

  /** The oldest verdict makes room; the routes it was about are looked at again if Caddy refuses them. */
  #remember(routes: readonly CaddyRoute[], reason: string | undefined): void {
    const [oldest] = this.#reasons.keys()
    if (this.#reasons.size >= mostVerdicts && oldest !== undefined) this.#reasons.delete(oldest)
    this.#reasons.set(keyOf(routes), reason)
  }

  #reasonOf({ routes }: HostRoutes): string | undefined {
    return routes.length === 0 ? undefined : this.#reasons.get(keyOf(routes))
  }
}

function wrapped(routes: readonly CaddyRoute[]): CaddyRoute[] {
  return [{ handle: [{ handler: 'subroute', routes }] }]
}

/** Addresses differ at each start of a container, and make no difference to Caddy. */
function keyOf(routes: readonly CaddyRoute[]): string {
  return JSON.stringify(routes).replace(/\{moat\.dial\.\d+\}|127\.0\.0\.1:\d+/g, '127.0.0.1:1')
}
