// How clients are told where a database is: by its name over TLS, or by its address.
import { describe, expect, it } from 'vitest'
import { clientFor, commandFor, connectionTo, whyByAddress } from '../../../src/clients/connection.js'
import type { Agent } from '../../../src/routing/agent.js'

const ports = { cache: ['redis', 6379], db: ['postgres', 5432], maria: ['mysql', 3306], odd: ['tcp', 9999] } as const
const agent: Agent = {
  containerId: 'c',
  createdAt: '2026-01-01T00:00:00Z',
  endpoints: [
    { name: 'web', port: 3000, type: 'http' },
    ...Object.entries(ports).map(([name, [scheme, port]], index) => ({
      name,
      port,
      type: 'tcp',
      url: `${scheme}://127.0.0.1:2000${index}`,
    })),
  ],
  keep: false,
  name: 'app',
  published: {},
  routes: Object.entries(ports).map(([endpoint, [, port]]) => ({ endpoint, named: { port } })),
  runId: 'run_0123456789ab',
  state: 'running',
  workspace: '/w',
}
const ca = '/home/ann/a dir/ca.crt'
const byName = { domain: 'localhost', port: 8080 }
const at = (endpoint: string | undefined, named: typeof byName | undefined = byName) =>
  connectionTo(agent, { byName: named, ca, endpoint })

describe('a connection', () => {
  it('of Postgres is told by variables, and by its name over TLS', () => {
    expect(at('db')).toEqual({
      address: '127.0.0.1',
      agent: 'app',
      ca,
      command: `PGHOST=db.app.localhost PGHOSTADDR=127.0.0.1 PGPORT=8080 PGSSLMODE=verify-full PGSSLROOTCERT='${ca}' psql`,
      endpoint: 'db',
      env: {
        PGHOST: 'db.app.localhost',
        PGHOSTADDR: '127.0.0.1',
        PGPORT: '8080',
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: ca,
      },
      host: 'db.app.localhost',
      port: 8080,
      tls: true,
      url: 'postgres://127.0.0.1:20001',
    })
  })

  it.each([
    ['cache', `redis-cli -h 127.0.0.1 -p 8080 --tls --sni cache.app.localhost --cacert '${ca}'`],
    // Its server speaks before the handshake.
    ['maria', 'MYSQL_HOST=127.0.0.1 MYSQL_TCP_PORT=20002 mysql --protocol=tcp --host=127.0.0.1 --port=20002'],
  ])('of %s is shown as a command line', (endpoint, command) => {
    expect(at(endpoint).command).toBe(command)
  })

  it('goes to the address where the proxy knows no names, and where the agent was made before it did', () => {
    expect(connectionTo(agent, { byName: undefined, ca, endpoint: 'db' })).toMatchObject({
      command: 'PGHOST=127.0.0.1 PGPORT=20001 psql',
      tls: false,
    })
    expect(connectionTo({ ...agent, routes: [] }, { byName, ca, endpoint: 'cache' }).command).toBe(
      'redis-cli -h 127.0.0.1 -p 20000',
    )
  })

  it('on the well-known ports is made to the one of HTTPS', () => {
    expect(at('db', { domain: 'dev.test', port: 80 })).toMatchObject({ host: 'db.app.dev.test', port: 443 })
  })

  it('of the only database needs no name; else which one is asked for, and web servers are opened', () => {
    const only = { ...agent, endpoints: agent.endpoints.filter(({ name }) => ['db', 'web'].includes(name)) }
    expect(connectionTo(only, { byName, ca, endpoint: undefined }).endpoint).toBe('db')
    expect(() => at(undefined)).toThrow('Say which of them: cache, db, maria, odd.')
    expect(() => at('web')).toThrow('web of app is a web server')
    expect(() => at('dbb')).toThrow('app has no endpoint dbb. Did you mean db?')
    expect(() => connectionTo({ ...agent, endpoints: [] }, { byName, ca, endpoint: 'db' })).toThrow(
      'no endpoint of the type tcp',
    )
  })
})

describe('an endpoint that is not named', () => {
  const told = (client: readonly string[]) => connectionTo(agent, { byName, ca, client, endpoint: undefined })

  it('is the only one at which the client is at home', () => {
    expect(told(['psql', '-U', 'ann']).endpoint).toBe('db')
    expect(told(['/usr/bin/valkey-cli']).endpoint).toBe('cache')
  })

  it('has to be where the client says nothing; what was to be run is in what is suggested', () => {
    const suggestions = ['cache', 'db', 'maria', 'odd'].map((one) => `moat connect app ${one} -- my-client -c 'a b'`)
    expect(() => told(['my-client', '-c', 'a b'])).toThrow(
      expect.objectContaining({ message: 'Say which of them: cache, db, maria, odd.', suggestions }),
    )
  })
})

describe('why a client is sent to the address', () => {
  const plain = (endpoint: string) => connectionTo(agent, { byName: undefined, ca, endpoint })
  const unnamed = { ...agent, routes: [] }

  it.each([
    ['a proxy does not run', agent, undefined, 'The routing proxy is not running: this is the'],
    ['its Caddy has no layer4', agent, { layer4: false }, 'no layer4 module, which moat setup gets: this is the'],
    ['the agent has no name for it', unnamed, undefined, undefined],
    ['the database cannot be named', agent, { layer4: true }, undefined],
  ])('is said where %s', (_, of, proxy, said) => {
    const why = whyByAddress(of, plain('db'), proxy)
    if (said === undefined) expect(why).toBeUndefined()
    else expect(why).toContain(said)
  })

  it('is not said of one that is told the name', () => {
    expect(whyByAddress(agent, at('db'), { layer4: true })).toBeUndefined()
  })
})

describe('a client', () => {
  const command = (endpoint: string, argv: string[]) => commandFor(at(endpoint), clientFor(agent, at(endpoint)), argv)

  it('that takes arguments has them before its own, wherever it lies; any other is left as it is', () => {
    const told = ['-h', '127.0.0.1', '-p', '8080', '--tls', '--sni', 'cache.app.localhost', '--cacert', ca]
    expect(command('cache', ['/usr/bin/redis-cli', 'PING'])).toEqual(['/usr/bin/redis-cli', ...told, 'PING'])
    expect(command('cache', ['my-client', '-x'])).toEqual(['my-client', '-x'])
    expect(command('db', ['psql', '-c', 'select 1'])).toEqual(['psql', '-c', 'select 1'])
    expect(command('odd', ['openssl'])).toContain('-verify_return_error')
  })
})
