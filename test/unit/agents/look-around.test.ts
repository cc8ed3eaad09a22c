// Owns whose look at the engine a command takes: the supervisor's, where that looks at what the command would; its own otherwise.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { lookAround, supervisorsList } from '../../../src/agents/look-around.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'
import { defaultAddress } from '../../../src/config/settings.js'
import type { AgentList, Engine } from '../../../src/engine/engine.js'
import { lookPath } from '../../../src/supervisor/control-paths.js'
import { agentContract, controlPaths, type SupervisorStatus } from '../../../src/supervisor/protocol.js'

const engineOfMoat = 'unix:///run/one-engine.sock'
const ownLook: AgentList = { agents: [], unreadable: [{ containerId: 'c1', name: 'own', reason: 'x' }], unsealed: [] }
const othersLook: AgentList = {
  agents: [],
  unreadable: [{ containerId: 'c2', name: 'of it', reason: 'x' }],
  unsealed: [],
}

let home: string
let paths: MoatPaths
let asked: string[]
let server: Server | undefined

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-look-'))
  paths = moatPaths({ MOAT_HOME: home })
  mkdirSync(dirname(paths.controlSocket), { recursive: true })
  asked = []
  vi.stubEnv('DOCKER_HOST', engineOfMoat)
  vi.stubEnv('MOAT_RUNTIME', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  server?.close()
  server?.closeAllConnections()
  server = undefined
  rmSync(home, { force: true, recursive: true })
})

async function supervisor(more: Partial<SupervisorStatus>, answersLook = true): Promise<void> {
  const status: SupervisorStatus = {
    agents: [],
    ca: '',
    caddy: { pid: 1, version: 'v2' },
    domain: 'localhost',
    engine: engineOfMoat,
    kept: false,
    port: 8123,
    supervisor: { contract: agentContract, pid: 1, version: '1.0.0' },
    ...more,
  }
  const problems = [{ agent: 'shop', endpoint: 'web', problem: 'it is slow' }]
  server = createServer(({ url = '' }, response) => {
    asked.push(url)
    if (url.startsWith(controlPaths.look) && answersLook)
      response.end(JSON.stringify({ list: othersLook, problems, status }))
    else if (url === controlPaths.status) response.end(JSON.stringify(status))
    else response.writeHead(404).end('{}')
  }).listen(paths.controlSocket)
  await once(server, 'listening')
}

async function look() {
  const connect = vi.fn(async () => ({ address: 'unix:///run/asked.sock', listAgents: async () => ownLook }) as Engine)
  const found = await lookAround({ connect, proxy: { paths, version: '1.0.0', wanted: defaultAddress } })
  return { connected: connect.mock.calls.length, ...found }
}

it('what a supervisor of this moat sees at the engine that the command would ask is taken, and nothing else is asked', async () => {
  await supervisor({})
  const { connected, engine, list, proxy } = await look()
  expect({ connected, engine, list, proxy }).toEqual({
    connected: 0,
    engine: engineOfMoat,
    list: othersLook,
    proxy: { address: { domain: 'localhost', port: 8123 }, runs: true },
  })
  expect(asked).toEqual([lookPath('problems')])
})

it.each([
  ['follows another engine', { engine: 'unix:///run/another.sock' }, true],
  ['does not say which engine', { engine: undefined as unknown as string }, true],
  ['is of another moat', { supervisor: { contract: agentContract, pid: 1, version: '0.9.0' } }, true],
  ['cannot look', {}, false],
])('where the supervisor %s, the command looks itself, and still says where the proxy is', async (_, more, answers) => {
  await supervisor(more, answers)
  const { connected, engine, list, proxy } = await look()
  expect({ connected, engine, list }).toEqual({ connected: 1, engine: 'unix:///run/asked.sock', list: ownLook })
  expect(proxy.address.port).toBe(8123)
})

it('where none runs, the command looks itself', async () => {
  const { connected, list, proxy } = await look()
  expect({ connected, list, runs: proxy.runs }).toEqual({ connected: 1, list: ownLook, runs: false })
})

it('where an engine is insisted on by name, the command looks itself: whether it is that one has to be asked', async () => {
  await supervisor({})
  vi.stubEnv('MOAT_RUNTIME', 'podman')
  expect((await look()).connected).toBe(1)
})

const listAt = (address: string) =>
  supervisorsList(Promise.resolve({ address } as Engine), { paths, version: '1.0.0', wanted: defaultAddress })

it('the list of agents alone is taken too, for the engine that the command has found', async () => {
  await supervisor({})
  expect(await listAt(engineOfMoat)).toEqual(othersLook)
  expect(asked).toEqual([lookPath('agents')])
  expect(await listAt('unix:///run/another.sock')).toBeUndefined()
})

it('a supervisor that hangs is not waited for with a list that the command can make itself', async () => {
  server = createServer(() => {}).listen(paths.controlSocket)
  await once(server, 'listening')
  const start = performance.now()
  expect(await listAt(engineOfMoat)).toBeUndefined()
  // Whatever else it is asked is waited for twice as long.
  expect(performance.now() - start).toBeLessThan(5_000)
})
