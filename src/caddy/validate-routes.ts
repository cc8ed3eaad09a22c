// Owns asking Caddy whether it takes some routes, without serving them.
import { execFile } from 'node:child_process'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { printable } from '../confinement/judge-routes.js'
import { messageOf } from '../errors.js'
import type { CaddyRoute } from '../routing/agent.js'

/** How long Caddy may take to read a config. Milliseconds. */
const timeout = 10_000

/** Why Caddy does not take the routes, in its own words; undefined when it does. */
export async function validateRoutes(binary: string, routes: readonly CaddyRoute[]): Promise<string | undefined> {
  const config = {
    admin: { disabled: true },
    apps: { http: { servers: { check: { automatic_https: { disable: true }, listen: [], routes } } } },
  }
  return new Promise((resolve) => {
    const child = startAsInvokingUser((ids) =>
      execFile(
        binary,
        ['validate', '--config', '-'],
        // Some handlers fill placeholders such as {env.HOME} when they are set up: there is nothing to fill them with.
        { ...ids, env: { HOME: '/nonexistent' }, timeout },
        (error, _stdout, stderr) => resolve(error ? reasonOf(stderr, error) : undefined),
      ),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(JSON.stringify(config))
  })
}

/** What follows the last place in the config that Caddy names. */
function reasonOf(stderr: string, error: unknown): string {
  const line = stderr
    .trim()
    .split('\n')
    .findLast((text) => text.startsWith('Error:'))
  if (line === undefined) return messageOf(error)
  // Caddy quotes what it does not take, which came from a label.
  return printable(line.replace(/^Error: /, '').replace(/^.*?position \d+: (?=loading module)/, ''))
}
