// Databases by name at the one port, each with its real client: over TLS, verified against the authority, and refused by who trusts another.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, databases, OnePort } from '../../helpers/one-port.js'
import { postgres17 } from '../../helpers/postgres-17.js'
import { requireProgram } from '../../helpers/trust-machine.js'
import { until } from '../../helpers/until.js'

const one = new OnePort()
const run = promisify(execFile)
const postgres = postgres17()
/** Debian's, before there was another start than the one in Postgres' own words. */
const psql15 = requireProgram('psql', 'postgresql-client')
const psql17 = join(postgres, 'bin/psql')
/** Roots that none of moat's is among. */
const otherRoots = '/etc/ssl/certs/ca-certificates.crt'

/** Postgres does not run as root. */
const start = `set -e
cat >postgres.sh <<'END'
set -e
/postgres/bin/initdb -D /tmp/data -U ann -A trust --no-sync --locale=C --locale-provider=libc
exec /postgres/bin/postgres -D /tmp/data -c fsync=off -c unix_socket_directories= -c listen_addresses=127.0.0.1
END
if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups sh postgres.sh; else sh postgres.sh; fi &
node mongo.js &
exec node databases.js
`

beforeAll(async () => {
  const ports = `  web: 3000
  db: {type: tcp, port: 5432, scheme: postgres}
  cache: {type: tcp, port: 6379, scheme: redis}
  docs: {type: tcp, port: 27017, scheme: mongodb}`
  await one.start(ports, {
    command: '[sh, start.sh]',
    files: {
      'bson.cjs': readFileSync('node_modules/bson/lib/bson.cjs', 'utf8'),
      'databases.js': databases.replace('.listen(5432)', ''),
      'mongo.js': readFileSync('test/fixtures/databases/mongo.js', 'utf8'),
      'start.sh': start,
    },
    more: `mounts: ['${postgres}:/postgres:ro']\n`,
  })
}, 120_000)
afterAll(() => one.sandbox.cleanUp())

const clean = (extra: NodeJS.ProcessEnv = {}) => ({ HOME: one.sandbox.home, PATH: process.env.PATH, ...extra })
/** What of a failed program a person reads. */
const failed = (running: Promise<unknown>) =>
  running.then(
    () => 'it did not fail',
    ({ stderr }: { stderr: string }) => stderr,
  )

describe('Postgres 17', () => {
  const ask17 = (psql: string, extra: NodeJS.ProcessEnv = {}) => {
    const variables = { PGHOST: 'db.app.localhost', PGHOSTADDR: '127.0.0.1', PGPORT: `${one.port}`, PGUSER: 'ann' }
    const verified = { ...variables, PGDATABASE: 'postgres', PGSSLMODE: 'verify-full', PGSSLROOTCERT: one.ca, ...extra }
    return run(psql, ['-At', '-c', '\\conninfo', '-c', 'show server_version'], { env: clean(verified) })
  }
  const direct = { PGSSLNEGOTIATION: 'direct' }

  // It takes connections before it takes questions.
  beforeAll(() =>
    until(
      'Postgres',
      () =>
        ask17(psql17).then(
          () => true,
          ({ stderr }: { stderr: string }) => !stderr.includes('the database system is starting up'),
        ),
      60_000,
    ),
  )

  it.each([
    ['of Debian, which asks for TLS in Postgres’ words', psql15, {}],
    ['of 17, which does the same', psql17, {}],
    ['of 17, which begins with TLS', psql17, direct],
  ])('is reached with the psql %s', async (_, psql, extra) => {
    expect((await ask17(psql, extra)).stdout).toMatch(/SSL.*TLSv1\.3[\s\S]*\n17\.\d+\n$/)
  })

  it('is not believed by a client that trusts other roots', async () => {
    for (const extra of [{}, direct]) {
      const untrusting = ask17(psql17, { ...extra, PGSSLROOTCERT: otherRoots })
      expect(await failed(untrusting)).toContain('certificate verify failed')
    }
  })

  it('is reached by moat connect, which tells the client where and how', async () => {
    const query = ['-U', 'ann', '-d', 'postgres', '-Atc', 'show server_version']
    // Which of the databases is psql's need not be said.
    for (const way of [
      ['db', '--', 'psql'],
      ['--', psql17],
    ]) {
      const told = await one.sandbox.moat(['connect', 'app', ...way, ...query])
      expect(told).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^17\.\d+\n$/) })
    }
    const shown = (await one.sandbox.moat(['connect', 'app', 'db'])).stdout
    expect(shown).toBe(
      `PGHOST=db.app.localhost PGHOSTADDR=127.0.0.1 PGPORT=${one.port} PGSSLMODE=verify-full PGSSLROOTCERT=${one.ca} psql\n`,
    )
  })
})

describe('Redis', () => {
  it('is reached by its name with redis-cli, and not believed by one that trusts other roots', async () => {
    const ping = (ca: string) => {
      const where = ['-h', '127.0.0.1', '-p', `${one.port}`, '--tls', '--sni', 'cache.app.localhost', '--cacert', ca]
      return run('redis-cli', [...where, 'PING'], { env: clean() })
    }
    expect((await ping(one.ca)).stdout).toBe('redis\n')
    expect(await failed(ping(otherRoots))).toContain('certificate verify failed')
  })

  it('is reached by moat connect, by name and by address', async () => {
    for (const way of [[], ['--plain']]) {
      const redis = await one.sandbox.moat(['connect', 'app', 'cache', ...way, '--', 'redis-cli', 'PING'])
      expect(redis).toEqual({ code: 0, stderr: '', stdout: 'redis\n' })
    }
    expect(await one.sandbox.moat(['connect', 'app', 'cache', '--', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 })
    expect((await one.sandbox.moat(['connect', 'app', 'cache', '--', 'no-such-client'])).stderr).toBe(
      'Error: no-such-client is not installed here.\n\nTry this:\n  moat connect app cache   # what a client is told\n',
    )
  })
})

describe('MongoDB', () => {
  const client = (tlsCAFile: string) =>
    new MongoClient(`mongodb://docs.app.localhost:${one.port}/?directConnection=true`, {
      // Not every system resolver knows *.localhost.
      lookup: (_host, options, done) =>
        options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
      tls: true,
      tlsCAFile,
    })

  it('is reached by its name with its driver, and not believed by one that trusts other roots', async () => {
    const trusting = client(one.ca)
    expect(await trusting.db('app').collection('people').findOne()).toEqual({ who: 'mongo' })
    await trusting.close()
    const untrusting = client(otherRoots)
    const failure = once(untrusting, 'serverHeartbeatFailed')
    const connecting = untrusting.connect().catch(() => {})
    expect(String((await failure)[0].failure)).toMatch(/certificate/)
    await untrusting.close()
    await connecting
  })
})

describe('any database', () => {
  it('is reached by whoever shakes hands at once, with the word for Postgres or without', async () => {
    const socket = one.to('db.app.localhost', { ALPNProtocols: ['postgresql'] })
    const answer = await ask(socket, '\0\0\0\x12\0\x03\0\0user\0ann\0\0')
    expect([socket.alpnProtocol, answer[0]]).toEqual(['postgresql', 'R'])
    expect(await ask(one.to('cache.app.localhost'), 'PING\r\n')).toBe('+redis\r\n')
    expect(await ask(one.to('CACHE.app.localhost'), 'PING\r\n')).toBe('+redis\r\n')
    expect(await ask(one.to('cache.app.localhost', { ALPNProtocols: ['mongodb'] }), 'PING\r\n')).toBe('+redis\r\n')
    expect(await ask(one.to('cache.app.localhost', { maxVersion: 'TLSv1.2' }), 'PING\r\n')).toBe('+redis\r\n')
  })

  it('answers a browser with a page', async () => {
    const url = `https://db.app.localhost:${one.port}/`
    for (const version of ['--http1.1', '--http2']) {
      const where = [
        '--cacert',
        one.ca,
        '--resolve',
        `db.app.localhost:${one.port}:127.0.0.1`,
        '-H',
        'Accept: application/json',
      ]
      const { stdout } = await run('curl', ['-sS', version, ...where, '-w', ' %{http_code}', url])
      expect(stdout).toMatch(/"error":"not_http".* 404$/s)
    }
    expect((await one.plain('db.app.localhost')).status).toBe(404)
  })

  it('has its name only while its agent has it, and the others keep theirs', async () => {
    const workspace = one.sandbox.directory('other', {
      'databases.js': databases,
      'moat.yaml': `name: other\ndependencies: [node@22]\nports: {cache: {type: tcp, port: 6379}}\ncommand: [node, databases.js]\n`,
    })
    const open = one.to('cache.app.localhost')
    await once(open, 'secureConnect')
    const closed: string[] = []
    open.on('close', () => closed.push('closed'))
    await one.sandbox.json(['run', '-d', workspace])
    expect(await ask(one.to('cache.other.localhost'), 'PING\r\n')).toBe('+redis\r\n')
    await one.sandbox.json(['stop', 'other'])
    const gone = one.to('cache.other.localhost')
    await once(gone, 'secureConnect')
    gone.write('GET / HTTP/1.1\r\nHost: cache.other.localhost\r\nConnection: close\r\n\r\n')
    expect(await text(gone)).toMatch(/^HTTP\/1\.1 404 /)
    // It was one config and the next, and the connection of before has noticed neither.
    open.write('PING\r\n')
    expect(String((await once(open, 'data'))[0])).toBe('+redis\r\n')
    expect(closed).toEqual([])
    open.destroy()
  })
})
