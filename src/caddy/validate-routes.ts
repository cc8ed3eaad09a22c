// Owns asking Caddy whether it takes some routes, without serving them.
import type { CaddyRoute } from '../routing/agent.js'
import { validateConfig } from './validate-config.js'

/** Why Caddy does not take the routes, in its own words; undefined when it does. */
export function validateRoutes(binary: string, routes: readonly CaddyRoute[]): Promise<string | undefined> {
  const servers = { check: { automatic_https: { disable: true }, listen: [], routes } }
  return validateConfig(binary, { apps: { http: { servers } } })
}
