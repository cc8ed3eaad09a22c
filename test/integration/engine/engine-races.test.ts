// What must hold against the real engine however its requests overlap, and where its ports can be reached from.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import type { ContainerSpec, Engine } from '../../../src/engine/engine.js'
import { toLabels } from '../../../src/engine/labels.js'
import { until } from '../../helpers/until.js'

let engine: Engine
let home: string
let created: string[]

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'moat-race-'))
  engine = await connectEngine({ moatHome: home })
  created = []
})
afterEach(async () => {
  await Promise.all(created.map((id) => engine.remove(id)))
  rmSync(home, { force: true, recursive: true })
})

async function create(script: string, overrides: Partial<ContainerSpec> = {}): Promise<string> {
  const runId = `run_${randomBytes(6).toString('hex')}`
  const id = await engine.create({
    command: ['sh', '-c', script],
    env: {},
    image: 'debian:bookworm-slim',
    labels: toLabels({ endpoints: [], home, keep: false, name: 'race', routes: [], runId, workspace: '/' }),
    mounts: [],
    name: `moat-race-${runId}`,
    ports: [],
    user: { gid: 0, uid: 0 },
    workdir: '/',
    ...overrides,
  })
  created.push(id)
  return id
}

it.each([false, true])(
  'no exit code is lost by a container that ends at once (removed at its end: %s)',
  async (removeAtEnd) => {
    const codes = Array.from({ length: 8 }, (_, index) => index + 1)
    const ids = await Promise.all(codes.map((code) => create(`exit ${code}`, { removeAtEnd })))
    const exits = await Promise.all(
      ids.map(async (id) => {
        const exitCode = engine.wait(id)
        await engine.start(id)
        return exitCode
      }),
    )
    expect(exits).toEqual(codes)
  },
)

it('a wait ends when its container is removed before it ever ran', async () => {
  const id = await create('true')
  const exitCode = engine.wait(id)
  const removal = engine.remove(id)
  await Promise.all([removal, exitCode.catch((error) => expect(error).toMatchObject({ code: 'ENGINE_FAILED' }))])
})

it('a paused container is listed as such, reported, and can be stopped', async () => {
  const abort = new AbortController()
  let changes = 0
  const id = await create('sleep 60')
  await engine.start(id)
  await engine.watch({ onChange: () => (changes += 1), onEnd: () => {} }, abort.signal)
  const { default: Docker } = await import('dockerode')
  await new Docker().getContainer(id).pause()
  await until('the pause', () => changes > 0)
  expect((await engine.listAgents()).agents).toMatchObject([{ containerId: id, published: {}, state: 'paused' }])
  const exitCode = engine.wait(id)
  await engine.stop(id, 10)
  expect(await exitCode).toBe(143)
  abort.abort()
})

it('a published port is not open on any other address of this machine', async () => {
  const id = await create('sleep 60', { ports: [{ port: 3000 }] })
  await engine.start(id)
  const port = (await engine.listAgents()).agents[0]?.published[3000] ?? 0
  const reach = (host: string) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host, port })
      socket
        .on('connect', () => resolve('open'))
        .on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? ''))
      socket.on('close', () => socket.destroy())
    })
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
  expect(await reach('127.0.0.1')).toBe('open')
  expect(others).not.toEqual([])
  expect(await Promise.all(others.map(reach))).toEqual(others.map(() => 'ECONNREFUSED'))
})
