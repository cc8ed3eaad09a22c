// The engine adapter against the real engine: what moat relies on, each as one case.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { type ContainerSpec, type Engine, ImageMissingError, NameReservedError } from '../../../src/engine/engine.js'
import { toLabels } from '../../../src/engine/labels.js'
import { until } from '../../helpers/until.js'

let engine: Engine
let home: string
let created: string[]

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'moat-engine-'))
  engine = await connectEngine({ moatHome: home })
  created = []
})
afterEach(async () => {
  await Promise.all(created.map((id) => engine.remove(id)))
  rmSync(home, { force: true, recursive: true })
})

function spec(script: string, overrides: Partial<ContainerSpec> = {}): ContainerSpec {
  const name = overrides.name ?? `moat-test-${randomBytes(4).toString('hex')}`
  return {
    command: ['sh', '-c', script],
    env: {},
    image: 'node:22-slim',
    labels: toLabels({
      endpoints: [],
      keep: false,
      home,
      name: 'test',
      routes: [],
      runId: `run_${randomBytes(6).toString('hex')}`,
      workspace: home,
    }),
    mounts: [],
    name,
    ports: [],
    user: { gid: process.getgid?.() ?? 0, uid: process.getuid?.() ?? 0 },
    workdir: '/',
    ...overrides,
  }
}

async function create(script: string, overrides: Partial<ContainerSpec> = {}): Promise<string> {
  const id = await engine.create(spec(script, overrides))
  created.push(id)
  return id
}

describe('create', () => {
  it('gives a name to exactly one of many at the same time', async () => {
    const name = `moat-test-${randomBytes(4).toString('hex')}`
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => create('true', { name })))
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(lost).toHaveLength(9)
    for (const { reason } of lost) expect(reason).toBeInstanceOf(NameReservedError)
  })

  it('says that an image is missing, and that a mount has no source', async () => {
    await expect(create('true', { image: 'moat.invalid/none:1' })).rejects.toBeInstanceOf(ImageMissingError)
    const mounts = [{ readOnly: false, source: join(home, 'missing'), target: '/data' }]
    await expect(create('true', { mounts })).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })
})

describe('a run', () => {
  it('has its output complete and separate, and its exit code', async () => {
    const id = await create('seq 1 20000; seq 20001 40000 >&2; exit 42')
    const output = await engine.attach(id)
    const exitCode = engine.wait(id)
    await engine.start(id)
    const numbers = (from: number, to: number) =>
      `${Array.from({ length: to - from + 1 }, (_, index) => from + index).join('\n')}\n`
    // Both at once: a stream nobody reads holds the other back.
    const [stdout, stderr] = await Promise.all([text(output.stdout), text(output.stderr)])
    expect(stdout).toBe(numbers(1, 20_000))
    expect(stderr).toBe(numbers(20_001, 40_000))
    expect(await exitCode).toBe(42)
    // Also when asked after the end.
    expect(await engine.wait(id)).toBe(42)
  })

  it('is asked to stop, then killed', async () => {
    const polite = await create('trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done')
    const stubborn = await create('trap "" TERM; while :; do sleep 0.05; done')
    const codes = [engine.wait(polite), engine.wait(stubborn)]
    await Promise.all([engine.start(polite), engine.start(stubborn)])
    // The first process of a container does not hear a signal that it has set no trap for.
    await until('the trap', async () =>
      `${await new Docker().getContainer(polite).logs({ stdout: true })}`.includes('ready'),
    )
    await Promise.all([engine.stop(stubborn, 0), engine.stop(polite, 60)])
    expect(await Promise.all(codes)).toEqual([3, 137])
  })

  it('writes files that belong to its user, and has a home it can write to', async () => {
    const { chownSync } = await import('node:fs')
    const user =
      process.getuid?.() === 0
        ? { gid: 4321, uid: 1234 }
        : { gid: process.getgid?.() ?? 0, uid: process.getuid?.() ?? 0 }
    chownSync(home, user.uid, user.gid)
    const mounts = [{ readOnly: false, source: home, target: '/data' }]
    const id = await create('touch /data/made $HOME/own && id -u > /data/id', { mounts, user })
    const exitCode = engine.wait(id)
    await engine.start(id)
    expect(await exitCode).toBe(0)
    const { gid, uid } = statSync(join(home, 'made'))
    expect({ gid, uid }).toEqual(user)
  })

  it('is published on loopback only, at a port the list tells', async () => {
    const script = `node -e "require('node:http').createServer((q, r) => r.end('hello')).listen(3000)"`
    const id = await create(script, { ports: [{ port: 3000 }] })
    await engine.start(id)
    const { agents } = await engine.listAgents()
    expect(agents).toMatchObject([{ containerId: id, name: 'test', state: 'running' }])
    const port = agents[0]?.published[3000] ?? 0
    const ask = () =>
      new Promise<string>((resolve, reject) => {
        request({ agent: false, host: '127.0.0.1', port }, (response) => resolve(text(response)))
          .on('error', reject)
          .end()
      })
    expect(await until('an answer', ask)).toBe('hello')
  })
})

describe('listAgents', () => {
  it('shows the agents of one home, and names containers it cannot read', async () => {
    const mine = await create('sleep 60')
    const foreign = toLabels({
      endpoints: [],
      keep: false,
      home: '/elsewhere',
      name: 'other',
      routes: [],
      runId: 'run_000000000000',
      workspace: '/',
    })
    await create('sleep 60', { labels: foreign })
    const broken = await create('sleep 60', { labels: { ...spec('').labels, 'dev.moat.routes': '{' } })
    const { agents, unreadable } = await engine.listAgents()
    expect(agents.map(({ containerId }) => containerId)).toEqual([mine])
    expect(unreadable).toMatchObject([{ containerId: broken, reason: 'label dev.moat.routes: is not JSON' }])
  })
})

describe('what a container uses', () => {
  it('is measured without a wait for the engine’s next sample, as much as it is', async () => {
    const [busy, idle] = [await create('while :; do :; done'), await create('sleep 60')]
    for (const id of [busy, idle]) await engine.start(id)
    const ask = vi.spyOn(Object.getPrototypeOf(new Docker().getContainer(busy)), 'stats')
    const [much, little] = await Promise.all([busy, idle].map((id) => engine.sessions.usage(id)))
    expect(ask).not.toHaveBeenCalled()
    expect(much?.cpu).toBeGreaterThan(10)
    expect(much?.cpu).toBeLessThan(150)
    expect(little?.cpu).toBeLessThan(5)
    for (const usage of [much, little]) expect(usage?.memory).toBeGreaterThan(100_000)
  })
})

describe('watch', () => {
  it('tells of starts and ends until it is told to stop', async () => {
    const abort = new AbortController()
    let changes = 0
    let ends = 0
    await engine.watch({ onChange: () => (changes += 1), onEnd: () => (ends += 1) }, abort.signal)
    const id = await create('sleep 60')
    await engine.start(id)
    await until('the start', () => changes > 0)
    const before = changes
    await engine.remove(id)
    await until('the end', () => changes > before)
    abort.abort()
    expect(ends).toBe(0)
  })
})

describe('remove and stop', () => {
  it('do not mind what is gone already, nor somebody else removing it', async () => {
    const id = await create('sleep 60')
    await engine.start(id)
    await Promise.all([engine.remove(id), engine.remove(id), engine.remove(id)])
    await engine.remove(id)
    await engine.stop(id, 0)
    await engine.kill(id)
    expect((await engine.listAgents()).agents).toEqual([])
  })
})
