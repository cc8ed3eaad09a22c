import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ForwarderOptions, planForwarder } from '../../../../src/agents/container/forwarder.js'
import { assertDiscovery } from '../../../../src/agents/plan/discovery.js'
import { knownServices } from '../../../../src/services/catalogue.js'

const agent = {
  command: ['npm', 'start'],
  endpoints: [{ name: 'web', port: 3000 }, { name: 'docs' }, { name: 'db', port: 5432, url: 'tcp://localhost:20432' }],
  name: 'my-app',
  ports: [{ port: 3000 }, { hostPort: 20_432, port: 5432 }] as { hostPort?: number; port: number }[],
}
const image = {
  architecture: 'amd64',
  id: 'sha256:1',
  command: ['node'],
  entrypoint: ['/entry.sh'],
  environment: {},
  labels: {},
}
const runId = 'run_0123456789ab'

let directory: string
let notes: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-forwarder-'))
  notes = []
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const plan = (who: Partial<typeof agent> & { discoverPlace?: string } = {}, options: Partial<ForwarderOptions> = {}) =>
  planForwarder(
    { ...agent, ...who },
    {
      address: { domain: 'localhost', port: 8080 },
      engine: { sharesSockets: async () => true },
      image,
      note: (line) => notes.push(line),
      paths: { agents: join(directory, 'agents'), publicCertificate: join(directory, 'public', 'ca.crt') },
      runId,
      ...options,
    },
  )
const madeNothing = () => !existsSync(join(directory, 'agents', runId))

describe('planForwarder', () => {
  it('leads to services, each by a socket that only its container makes, also where there is nothing else to lead to', async () => {
    const [postgres, redis] = [knownServices().get('postgres'), knownServices().get('redis')]
    if (!postgres || !redis) throw new Error('not in the catalogue')
    const one = { env: {}, image: 'x', place: 'moat.yaml:1:1', wait: true }
    const services = [
      { ...one, known: postgres, name: 'postgres', port: 5433 },
      { ...one, known: redis, name: 'redis', port: 6379 },
    ]
    const nothing = { command: ['sleep'], endpoints: [], name: 'my-app', ports: [] }
    const found = await plan({ ...nothing, services } as never)
    expect(found?.spec.entrypoint.join(' ')).toBe(
      '/run/moat/forward --lead 5433=/run/moat/services/postgres/5432 --lead 6379=/run/moat/services/redis/6379 --in /run/moat/in -- /entry.sh',
    )
    expect(found?.spec.hosts).toEqual([
      { address: '127.0.0.1', name: 'postgres' },
      { address: '127.0.0.1', name: 'redis' },
    ])
    expect(await plan(nothing)).toBeUndefined()
  })

  it('puts the program before what the image runs, in a directory of the run that the container cannot write', async () => {
    const source = join(directory, 'agents', runId)
    expect(await plan()).toEqual({
      env: {},
      labels: { forwards: [8080], relays: { 20432: 5432 }, wayIn: 'sockets' },
      mounts: [
        { readOnly: true, source, target: '/run/moat' },
        { readOnly: false, source: join(source, 'in'), target: '/run/moat/in' },
      ],
      ports: [8080],
      spec: {
        command: ['npm', 'start'],
        entrypoint: [
          ...['/run/moat/forward', '--port', '8080', '--socket', '/run/moat/proxy.sock', '--in', '/run/moat/in'],
          ...['--serve', '3000', '--serve', '5432', '--publish', '20432=5432', '--', '/entry.sh'],
        ],
        hosts: ['my-app.localhost', 'web.my-app.localhost', 'docs.my-app.localhost'].map((name) => ({
          address: '127.0.0.1',
          name,
        })),
        // Only what anybody on this machine may reach is published.
        ports: [{ hostPort: 20_432, port: 20_432 }],
      },
    })
    expect(statSync(join(source, 'in')).mode & 0o777).toBe(0o700)
    expect(statSync(join(source, 'forward')).mode & 0o777).toBe(0o755)
    expect(statSync(join(directory, 'agents')).mode & 0o777).toBe(0o700)
    expect(notes).toEqual([])
  })

  it("keeps the image's command, which an entrypoint would take away", async () => {
    const { spec } = (await plan({ command: undefined as never })) ?? {}
    expect(spec?.command).toEqual(['node'])
  })

  it('forwards both well-known ports, which need not be root’s', async () => {
    const { ports, spec } = (await plan({}, { address: { domain: 'dev.moat.test', port: 443 } })) ?? {}
    expect(ports).toEqual([443, 80])
    expect(spec?.entrypoint.slice(1, 5)).toEqual(['--port', '443', '--port', '80'])
    expect(spec?.unprivilegedPortStart).toBe(0)
    expect(spec?.hosts?.[1]?.name).toBe('web.my-app.dev.moat.test')
  })

  it('where sockets do not cross into the container: publishes every port, and goes out by the name of the host', async () => {
    const { labels, mounts, spec } = (await plan({}, { engine: { sharesSockets: async () => false } })) ?? {}
    expect(spec?.entrypoint.slice(5, 12)).toEqual([
      ...['--host', 'host.docker.internal', '--publish', '61001=3000', '--publish', '20432=5432', '--'],
    ])
    expect(spec?.ports).toEqual([{ port: 61_001 }, { hostPort: 20_432, port: 20_432 }])
    expect(labels).toEqual({ forwards: [8080], relays: { 20432: 5432, 61001: 3000 } })
    expect(mounts).toHaveLength(1)
  })

  it('where the agent’s runtime keeps sockets out: publishes every port, and says that its URLs will not answer there', async () => {
    const engine = { sharesSockets: async (runtime?: string) => runtime !== 'runsc' }
    const container = { runtime: 'runsc' }
    const { labels, mounts, ports, spec } = (await plan({ container } as never, { engine })) ?? {}
    expect(spec?.entrypoint.slice(1)).toEqual([
      ...['--publish', '61001=3000', '--publish', '20432=5432', '--', '/entry.sh'],
    ])
    expect([labels, ports, spec?.hosts]).toEqual([{ relays: { 20432: 5432, 61001: 3000 } }, [], []])
    expect(mounts).toHaveLength(1)
    expect(notes).toEqual([
      'Inside its container, the URLs of my-app will not answer: the runtime runsc gives each container a kernel of its own, and sockets do not lead out of it.',
    ])
    await expect(assertDiscovery(engine, { container, discoverPlace: 'moat.yaml:3:1' })).rejects.toThrow(
      'moat.yaml:3:1: "discover" is not possible here: the runtime runsc gives',
    )
  })

  it('publishes at no port that the agent has itself, and at none of root’s', async () => {
    const at = async (...ports: { hostPort?: number; port: number }[]) =>
      (await plan({ ports }))?.spec.ports.map(({ port }) => port)
    expect(await at({ hostPort: 80, port: 61_001 })).toEqual([61_002])
    expect(await at({ hostPort: 5432, port: 5432 })).toEqual([61_001])
    expect(await at({ hostPort: 6379, port: 5432 }, { hostPort: 5432, port: 6379 })).toEqual([61_001, 61_002])
    // The proxy's, where its own URLs are answered.
    expect(await at({ hostPort: 8080, port: 5432 })).toEqual([61_001])
  })

  it('serves what tells whether an endpoint is ready', async () => {
    const endpoints = [{ name: 'web', port: 3000, readiness: { kind: 'tcp' as const, port: 3001 } }]
    const { spec } = (await plan({ endpoints: endpoints as never, ports: [{ port: 3000 }] })) ?? {}
    expect(spec?.entrypoint.join(' ')).toContain('--serve 3000 --serve 3001 --')
  })

  it('lets an agent without endpoints at the proxy in, but not out', async () => {
    const endpoints = [{ name: 'db', port: 5432, url: 'tcp://localhost:1' }]
    const { labels, ports, spec } = (await plan({ endpoints, ports: [{ hostPort: 20_432, port: 5432 }] })) ?? {}
    expect([labels, ports]).toEqual([{ relays: { 20432: 5432 }, wayIn: 'sockets' }, []])
    expect(spec?.entrypoint.slice(1)).toEqual([
      ...['--in', '/run/moat/in', '--serve', '5432', '--publish', '20432=5432', '--', '/entry.sh'],
    ])
  })

  it('finds what nobody declared, where that is asked for, and lets also an agent without endpoints out', async () => {
    const found = await plan({ discoverPlace: 'moat.yaml:3:1', endpoints: [], ports: [] })
    expect(found?.spec.entrypoint).toContain('--discover')
    expect(found?.spec.hosts).toEqual([{ address: '127.0.0.1', name: 'my-app.localhost' }])
    expect(found?.labels).toEqual({ discover: true, forwards: [8080], wayIn: 'sockets' })
    expect((await plan())?.spec.entrypoint).not.toContain('--discover')
    // A plugin may name ports that none of its endpoints dials: these are found when something listens there.
    const ports = [...agent.ports, { port: 9229 }]
    const served = (flags: string[] = []) => flags.filter((_, index) => flags[index - 1] === '--serve')
    expect(served((await plan({ ports }))?.spec.entrypoint)).toEqual(['3000', '5432', '9229'])
    expect(served((await plan({ discoverPlace: 'moat.yaml:3:1', ports }))?.spec.entrypoint)).toEqual(['3000', '5432'])
  })

  it('says where it was asked for what cannot be, and leaves nothing', async () => {
    const other = { ...image, architecture: 's390x' }
    await expect(plan({ discoverPlace: 'moat.yaml:3:1' }, { image: other })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^moat.yaml:3:1: "discover" is not possible here: .*s390x/),
    })
    expect(madeNothing()).toBe(true)
    const virtual = { sharesSockets: async () => false }
    await expect(assertDiscovery(virtual, { discoverPlace: 'moat.yaml:3:1' })).rejects.toThrow(
      'moat.yaml:3:1: "discover"',
    )
    await assertDiscovery(virtual, {})
  })

  it('says when the proxy’s own port is an endpoint’s, which is reached all the same', async () => {
    const endpoints = [...agent.endpoints, { name: 'api', port: 8080 }]
    const { labels, spec } = (await plan({ endpoints })) ?? {}
    expect(labels?.forwards).toBeUndefined()
    expect(spec?.entrypoint).toContain('--in')
    expect(notes).toEqual([
      'Inside its container, the URLs of my-app will not answer: there, port 8080 is its endpoint api, not the proxy (proxy.port in config.yaml gives the proxy another).',
    ])
  })

  it.each([
    ['no endpoint', { endpoints: [] }, {}],
    ['nothing to run', { command: [] }, { image: { ...image, entrypoint: [] } }],
  ])('is none for an agent with %s, without a word', async (_, who, options) => {
    expect(await plan(who, options)).toBeUndefined()
    expect(notes).toEqual([])
    expect(madeNothing()).toBe(true)
  })

  it.each([
    [
      'moat has no forwarder for the processor of its image, riscv64',
      {},
      { image: { ...image, architecture: 'riscv64' } },
    ],
  ])('says why there is none: %s', async (why, who, options) => {
    expect(await plan(who, options)).toBeUndefined()
    expect(notes).toEqual([`Inside its container, the URLs of my-app will not answer: ${why}.`])
    expect(madeNothing()).toBe(true)
  })
})
