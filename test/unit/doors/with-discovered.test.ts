// What listens in a container as endpoints, read from a directory in which the container does what it likes.
import { execFileSync } from 'node:child_process'
import { Dir, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeAgentDirectory } from '../../../src/doors/agent-directory.js'
import { withDiscovered } from '../../../src/doors/with-discovered.js'
import type { Agent } from '../../../src/routing/agent.js'

const uid = process.geteuid?.() ?? 0
const agent: Agent = {
  containerId: 'c',
  createdAt: '2025-01-01T00:00:00.000Z',
  discover: true,
  endpoints: [{ name: 'web', port: 3000, type: 'http' }],
  keep: false,
  name: 'app',
  published: {},
  routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
  runId: 'run_0123456789ab',
  state: 'running',
  wayIn: 'sockets',
  workspace: '/src',
}

let directory: string
let servers: Server[]
let paths: { agents: string }
const inside = (name: string) => join(paths.agents, agent.runId, 'in', name)
const ways = (port: number | string) => ['', '.quick', '.probe'].map((suffix) => inside(`${port}${suffix}`))

async function listen(path: string): Promise<void> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
}
async function open(...ports: (number | string)[]): Promise<void> {
  for (const path of ports.flatMap(ways)) await listen(path)
}
const found = async (change: Partial<Agent> = {}, user = uid) => {
  const [read] = await withDiscovered([{ ...agent, ...change }], { paths, uid: user })
  return read?.endpoints.map(({ name }) => name)
}

beforeEach(async () => {
  // Short: the name of a socket has an end.
  directory = mkdtempSync(join(tmpdir(), 'md-'))
  paths = { agents: join(directory, 'agents') }
  servers = []
  await makeAgentDirectory(paths, agent.runId)
})
afterEach(() => {
  for (const server of servers) server.close()
  rmSync(directory, { force: true, recursive: true })
})

describe('withDiscovered', () => {
  it('adds what listens beside the declared ports, lowest first, as endpoints of their own', async () => {
    await open(9229, 3000, 5173)
    expect(await withDiscovered([agent], { paths, uid })).toEqual([
      {
        ...agent,
        endpoints: [
          ...agent.endpoints,
          { discovered: true, name: '5173', port: 5173, type: 'http' },
          { discovered: true, name: '9229', port: 9229, type: 'http' },
        ],
        routes: [
          ...agent.routes,
          { discovered: true, endpoint: '5173', upstream: { port: 5173, protocol: 'http' } },
          { discovered: true, endpoint: '9229', upstream: { port: 9229, protocol: 'http' } },
        ],
      },
    ])
  })

  it('reads nothing of an agent that does not discover, does not run, or has no directory', async () => {
    await open(5173)
    const { discover: _, ...declaring } = agent
    expect(await withDiscovered([declaring], { paths, uid })).toEqual([declaring])
    expect(await found({ state: 'exited' })).toEqual(['web'])
    expect(await found({ state: 'restarting' })).toEqual(['web'])
    expect(await found({ runId: 'run_ffffffffffff' })).toEqual(['web'])
    expect(await found({ state: 'paused' })).toEqual(['web', '5173'])
  })

  it('leaves a port alone that an endpoint stands for in any way, and a name that one has', async () => {
    await open(5432, 6379, 7000, 8000, 5173, 61_001)
    const declared: Partial<Agent> = {
      endpoints: [
        { name: 'db', readiness: { kind: 'tcp', port: 5432 }, type: 'tcp' },
        { name: '5173', type: 'static' },
      ],
      published: { 7000: 40_000 },
      relays: { 61001: 6379 },
      routes: [{ endpoint: 'db', routes: [{ handle: [{ dial: '{moat.dial.8000}', handler: 'x' }] }] }],
    }
    expect(await found(declared)).toEqual(['db', '5173', '61001'])
  })

  it('has a port only once all its sockets are there, and all are sockets of this user', async () => {
    await open(5173)
    rmSync(inside('5173.probe'))
    expect(await found()).toEqual(['web'])
    await listen(inside('5173.probe'))
    expect(await found()).toEqual(['web', '5173'])
    expect(await found({}, uid + 1)).toEqual(['web'])
  })
})

describe('a hostile directory', () => {
  const tricks: [string, (path: string) => unknown][] = [
    ['links to sockets', (path) => symlinkSync(join(directory, 'secret'), path)],
    ['loops of links', (path) => symlinkSync(path, path)],
    ['FIFOs', (path) => execFileSync('mkfifo', [path])],
    ['files', (path) => writeFileSync(path, 'x')],
    ['directories', (path) => mkdirSync(path)],
  ]

  it.each(tricks)('with %s has no endpoint for them', async (_, trick) => {
    await listen(join(directory, 'secret'))
    await open(5173)
    for (const path of ways(4000)) trick(path)
    expect(await found()).toEqual(['web', '5173'])
  })

  it('with names that are no ports has no endpoints for them', async () => {
    await open(
      '0',
      '00080',
      '080',
      '65536',
      '99999',
      '-1',
      '1e3',
      '0x50',
      '80 ',
      ' 80',
      '80a',
      'web',
      '８０',
      '+80',
      '8.0',
    )
    expect(await found()).toEqual(['web'])
    await open(1, 65_535)
    expect(await found()).toEqual(['web', '1', '65535'])
  })

  it('with more sockets than the forwarder would make has as many endpoints as that', async () => {
    for (const path of ways(9_000)) writeFileSync(path, '')
    await open(...Array.from({ length: 100 }, (_, index) => 10_000 + index))
    expect(await found()).toEqual(['web', ...Array.from({ length: 64 }, (_, index) => `${10_000 + index}`)])
  })

  it('with more files than a forwarder has any use for is not read to its end', { timeout: 30_000 }, async () => {
    for (let count = 0; count < 3_000; count += 1) writeFileSync(inside(`junk${count}`), '')
    const read = vi.spyOn(Dir.prototype, 'read')
    await found()
    expect(read.mock.calls.length).toBeGreaterThan(1)
    expect(read.mock.calls.length).toBeLessThan(1_100)
    read.mockRestore()
  })

  it('that is a link leads nowhere', async () => {
    await open(5173)
    renameSync(inside(''), join(directory, 'elsewhere'))
    symlinkSync(join(directory, 'nowhere'), inside('').slice(0, -1))
    expect(await found()).toEqual(['web'])
  })
})
