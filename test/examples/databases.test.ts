// Postgres and Redis as Debian has them, which listen on loopback: by the same address from the host and from inside, a program's own clients.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { install } from '../helpers/npm-project.js'
import { Sandbox } from '../helpers/sandbox.js'

const run = promisify(execFile)
const sandbox = new Sandbox()
let project: string

const yaml = `name: stores
dependencies: [node@22, apt:postgresql, apt:redis-server]
ports:
  cache: {type: tcp, port: 6379, scheme: redis}
  db: {type: tcp, port: 5432, scheme: postgres}
command: [sh, start.sh]
`
// Postgres does not run as root, which an agent is where its user's files are root's.
const start = `redis-server &
bin=$(echo /usr/lib/postgresql/*/bin)
as() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/sh -c "$1"; else sh -c "$1"; fi; }
as "$bin/initdb -D /tmp/db -U shop -A trust >/dev/null && exec $bin/postgres -D /tmp/db -k /tmp"
`
const client = `import pg from 'pg'
import { createClient } from 'redis'
const cache = await createClient({ url: process.env.MOAT_URL_CACHE }).connect()
const url = Object.assign(new URL(process.env.MOAT_URL_DB), { pathname: '/postgres', username: 'shop' })
const db = new pg.Client({ connectionString: url.href })
await db.connect()
await cache.incr('visits')
const { rows } = await db.query('select 6 * 7 as answer')
console.log(await cache.get('visits'), rows[0].answer)
await Promise.all([cache.close(), db.end()])
`

beforeAll(async () => {
  project = sandbox.directory('stores', {
    'client.mjs': client,
    'moat.yaml': yaml,
    'package.json': '{"name": "stores"}',
    'start.sh': start,
  })
  await install(project, ['pg@8.23.1', 'redis@6.3.1'])
})
afterAll(() => sandbox.cleanUp())

describe('Postgres and Redis', () => {
  it('answer at the addresses of their endpoints, on the host and inside', async () => {
    const { endpoints } = await sandbox.json<{ endpoints: { name: string; url: string }[] }>(['run', '-d', project])
    const urls = Object.fromEntries(endpoints.map(({ name, url }) => [`MOAT_URL_${name.toUpperCase()}`, url]))
    for (const name of ['cache', 'db']) await sandbox.json(['wait', 'stores', name, '--timeout', '60'])
    const outside = await run(process.execPath, ['client.mjs'], { cwd: project, env: { ...process.env, ...urls } })
    expect(outside.stdout).toBe('1 42\n')
    const inside = await sandbox.moat(['exec', 'stores', '--', 'node', 'client.mjs'])
    expect(inside).toMatchObject({ code: 0, stdout: '2 42\n' })
  })
})
