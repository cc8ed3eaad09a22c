// Owns asking for a user and a password before an endpoint answers.
import type { CaddyRoute } from '../routing/agent.js'

/** What bcrypt costs: some 60 ms a password. Caddy remembers those it has checked. */
const cost = 10

/** `users` by name, with their passwords, of which only hashes go into the route. */
export async function basicAuthRoute(
  users: Readonly<Record<string, string>>,
  literal: (text: string) => string,
): Promise<CaddyRoute> {
  // Loaded here: few endpoints have users.
  const { hash } = await import('bcryptjs')
  const accounts = await Promise.all(
    Object.entries(users).map(async ([username, password]) => ({
      password: await hash(password, cost),
      username: literal(username),
    })),
  )
  const provider = { accounts, hash: { algorithm: 'bcrypt' }, hash_cache: {}, realm: 'moat' }
  return { handle: [{ handler: 'authentication', providers: { http_basic: provider } }] }
}
