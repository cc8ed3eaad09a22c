// Owns what is asked of the supervisor before a command is loaded: what the command would ask, once, and nothing for any other.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { askEarly } from '../../../src/supervisor/ask-early.js'
import { readLook } from '../../../src/supervisor/control-client.js'
import { lookKind, lookPath } from '../../../src/supervisor/control-paths.js'
import { keepEarlyLook } from '../../../src/supervisor/early-look.js'

let home: string
let socketPath: string
let asked: string[]
let server: Server | undefined

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-early-'))
  vi.stubEnv('MOAT_HOME', home)
  socketPath = moatPaths().controlSocket
  mkdirSync(dirname(socketPath), { recursive: true })
  asked = []
})
afterEach(() => {
  vi.unstubAllEnvs()
  server?.close()
  server = undefined
  rmSync(home, { force: true, recursive: true })
})

/** As a program does before it loads a command. */
const lookEarly = async (argv: string[]) => keepEarlyLook(await askEarly(argv))

/** Answers as the supervisor's control socket does. `engine` is what comes back in the status. */
async function supervisor({ engine = 'unix:///run/one.sock', status = 200, text = '' } = {}): Promise<void> {
  server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const body = text || JSON.stringify({ list: {}, problems: [], status: { engine } })
    response.writeHead(status, { connection: 'close', 'content-type': 'application/json' }).end(body)
  }).listen(socketPath)
  await once(server, 'listening')
}

it.each([
  { argv: ['list'], kind: 'problems' as const },
  { argv: ['ls', '--json'], kind: 'problems' as const },
  { argv: ['ps', '--verbose'], kind: 'problems' as const },
  { argv: ['status'], kind: 'system' as const },
  { argv: ['status', '--json'], kind: 'system' as const },
  { argv: ['stop', 'dark-mode', 'checkout'], kind: 'agents' as const },
  { argv: ['stop', '--all'], kind: 'agents' as const },
])('moat $argv has its question asked early, and its look takes that answer', async ({ argv, kind }) => {
  await supervisor()
  await lookEarly(argv)
  expect(await readLook(socketPath, kind)).toMatchObject({ status: { engine: 'unix:///run/one.sock' } })
  expect(asked).toEqual([`/look?${kind}`])
})

it.each([
  [['run']],
  [['toString']],
  [[]],
  [['status', '--runtime', 'podman']],
  [['status', '--runtime=podman']],
  [['list', '--no-such-flag']],
  [['list', '--help']],
  [['stop', 'dark-mode', '--runtime', 'podman']],
])('nothing is asked early for moat %j', async (argv) => {
  await supervisor()
  await lookEarly(argv)
  await readLook(socketPath, 'system')
  expect(asked).toEqual(['/look?system'])
})

it('one answer is for one look: the next asks anew', async () => {
  await supervisor()
  await lookEarly(['list'])
  await readLook(socketPath, 'problems')
  await readLook(socketPath, 'problems')
  expect(asked).toEqual(['/look?problems', '/look?problems'])
})

it('a look at something else, or at another socket, does not take it', async () => {
  await supervisor()
  await lookEarly(['list'])
  await readLook(socketPath, 'system')
  expect(await readLook(join(home, 'other.sock'), 'problems')).toBeUndefined()
  expect(asked).toEqual(['/look?problems', '/look?system'])
  expect(await readLook(socketPath, 'problems')).toBeDefined()
  expect(asked).toHaveLength(2)
})

it('a long answer with more than ASCII is read as it was sent', async () => {
  const engine = 'unix:///тест/😀'.repeat(40_000)
  await supervisor({ engine })
  await lookEarly(['list'])
  expect((await readLook(socketPath, 'problems'))?.status.engine).toBe(engine)
})

it.each([
  { status: 503, text: '{}' },
  { status: 500, text: '{"error":{"code":"ENGINE_UNREACHABLE"}}' },
  { status: 200, text: '{"list":' },
])('an answer that is none ($status, $text) is left to the command, as without asking early', async (answer) => {
  await supervisor(answer)
  await lookEarly(['list'])
  expect(await readLook(socketPath, 'problems')).toBeUndefined()
})

it('without a supervisor, and in a home too long for its socket, nothing is said', async () => {
  await lookEarly(['list'])
  expect(await readLook(socketPath, 'problems')).toBeUndefined()
  vi.stubEnv('MOAT_HOME', join(home, 'x'.repeat(200)))
  await lookEarly(['status'])
})

it.each(['agents', 'problems', 'system'] as const)('a look at %s is understood as it is asked for', (kind) => {
  expect(lookKind(new URL(lookPath(kind), 'http://localhost').searchParams)).toBe(kind)
})
