// A detached agent that ends right after its start, or does not. How long one is watched that goes on and on is given here, so that a
// slow machine is no matter.
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endedAtOnce } from '../../../src/agents/ended-at-once.js'
import { PortClash } from '../../../src/agents/port-clash.js'
import type { StartedAgent } from '../../../src/agents/start-agent.js'
import { watchStart } from '../../../src/agents/watch-start.js'
import { moatPaths } from '../../../src/config/paths.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import type { Engine } from '../../../src/engine/engine.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import { Sandbox } from '../../helpers/sandbox.js'

let engine: Engine
let sandbox: Sandbox

beforeEach(async () => {
  sandbox = new Sandbox()
  engine = await connectEngine({ moatHome: sandbox.home })
})
afterEach(() => sandbox.cleanUp())

const patient = { told: 600_000, usual: 600_000 }

async function start(command: string, times = patient): Promise<StartedAgent> {
  const agent = {
    createdAt: '',
    endpoints: [],
    name: 'app',
    runId: 'run_a1b2c3d4e5f6',
    state: 'running' as const,
    workspace: '/',
  }
  const containerId = await engine.create({
    command: ['sh', '-c', command],
    env: {},
    image: 'node:22-slim',
    labels: toLabels({ ...agent, home: sandbox.home, keep: false, routes: [] }),
    mounts: [],
    name: containerName('app', sandbox.home),
    ports: [],
    user: { gid: 0, uid: 0 },
    workdir: '/',
  })
  const exitCode = engine.wait(containerId)
  await engine.start(containerId)
  return {
    agent,
    authorityCreated: false,
    containerId,
    exitCode,
    forwards: [],
    watched: watchStart(engine.sessions, containerId, times),
  }
}

async function watch(started: StartedAgent, { hear = (_: string) => {}, keep = false } = {}) {
  const stderr = new PassThrough()
  const proxy = {
    paths: moatPaths({ MOAT_HOME: sandbox.home }),
    version: '0.0.0',
    wanted: { domain: 'localhost', explicit: false, port: 0, source: 'default' as const },
  }
  const note = (line: string) => stderr.write(`${line}\n`)
  const tellGone = async () => {}
  const options = { engine, hear, keep, note, proxy, removeAtEnd: false, stderr, tellGone }
  const code = await endedAtOnce(started, options)
  stderr.end()
  return { code, text: await text(stderr) }
}

describe('endedAtOnce', () => {
  it('shows the last words, takes the container away and tells the exit code', async () => {
    expect(await watch(await start('echo cannot start >&2; exit 3'))).toEqual({
      code: 3,
      text: 'cannot start\napp ended at once, with exit code 3.\n',
    })
    expect(await sandbox.containers()).toEqual([])
  })

  it('leaves a container that is to be kept', async () => {
    expect((await watch(await start('exit 0'), { keep: true })).code).toBe(0)
    expect(await sandbox.containers()).toHaveLength(1)
  })

  it('lets its last words be heard, by which a port of moat’s own is explained to whoever wants it', async () => {
    const clash = new PortClash([8080])
    const hear = (piece: string) => clash.hear(piece)
    const started = await start('echo "listen EADDRINUSE: address already in use" >&2; exit 1')
    expect((await watch(started, { hear })).text).toContain('EADDRINUSE')
    expect(clash.hint).toContain('in its container moat listens there')
  })

  it('tells the end of one that is killed as soon as it runs', async () => {
    expect(await watch(await start('kill -KILL $$'))).toEqual({
      code: 137,
      text: 'app ended at once, with exit code 137 (SIGKILL).\n',
    })
  })

  it('does not wait for one that waits for something itself', async () => {
    expect(await watch(await start('sleep 600'))).toEqual({ code: undefined, text: '' })
  })

  it('waits for one that is at work, but not for ever', async () => {
    const started = await start('while :; do :; done', { told: 600_000, usual: 50 })
    expect(await watch(started)).toEqual({ code: undefined, text: '' })
  })
})
