// Owns asking Caddy whether it takes a config, without serving it.
import { execFile } from 'node:child_process'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { printable } from '../confinement/judge-routes.js'
import { messageOf } from '../errors.js'
import { lastWords } from './last-words.js'
import type { CaddyConfig } from './to-caddy-config.js'

/** How long Caddy may take to read a config. Milliseconds. */
const timeout = 10_000

/** Why Caddy does not take the config, in its own words; undefined when it does. */
export function validateConfig(binary: string, config: CaddyConfig): Promise<string | undefined> {
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
    child.stdin?.end(JSON.stringify({ admin: { disabled: true }, ...config }))
  })
}

/** What follows the last place in the config that Caddy names. */
function reasonOf(stderr: string, error: unknown): string {
  const words = lastWords(stderr)
  if (words === undefined) return messageOf(error).split('\n')[0] ?? 'no reason given'
  // Caddy quotes what it does not take, which may have come from a label.
  return printable(words.replace(/^.*?position \d+: (?=loading module)/, ''))
}
