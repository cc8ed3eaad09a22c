// Agents that come and go by the hundred leave nothing in the programs that serve them: no descriptors, and no memory.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { ensureSealKey } from '../../../src/engine/seal-key.js'
import { syncRoutes } from '../../../src/supervisor/control-client.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { CrowdedEngine } from '../../helpers/crowded-engine.js'
import { long, patience } from '../../helpers/fuzz.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const each = 100
const sandbox = new Sandbox()
let engine: CrowdedEngine
let app: Server
let key: Uint8Array

beforeAll(async () => {
  engine = new CrowdedEngine((await connectEngine()).address)
  app = createServer((_, response) => response.end('crowd')).listen(0, '127.0.0.1')
  await new Promise((resolve) => app.once('listening', resolve))
  sandbox.env.DOCKER_HOST = await engine.listen(join(sandbox.directory('engine'), 'engine.sock'))
  key = await ensureSealKey(moatPaths({ MOAT_HOME: sandbox.home }).sealKey)
  await sandbox.json(['proxy', 'start', '--detach'])
})
afterAll(async () => {
  await sandbox.cleanUp()
  engine.close()
  app.close()
})

const control = join(sandbox.home, 'proxy/control.sock')
const appPort = () => (app.address() as AddressInfo).port

/** A hundred agents come, each is served, and all go again. */
async function crowd(number: number): Promise<void> {
  const names = Array.from({ length: each }, (_, index) => `crowd-${number}-${index}`)
  engine.show(names, { home: sandbox.home, key, port: appPort() })
  const status = await syncRoutes(control)
  expect(status?.agents).toHaveLength(each)
  const url = `https://web.${names.at(-1)}.localhost:${status?.port}/`
  await until('an answer', async () => (await sandbox.get(url)).body === 'crowd', 30_000)
  engine.show([], { home: sandbox.home, key, port: 0 })
  expect((await syncRoutes(control))?.agents).toEqual([])
}

/** Caddy's runtime looks for what is not used any more every two minutes by itself: nobody has to wait for that. */
function collectGarbage(): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = '/debug/pprof/heap?gc=1'
    get({ headers: { Host: 'localhost' }, path, socketPath: join(sandbox.home, 'proxy/admin.sock') }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`${path}: ${response.statusCode}`))
      })
    }).once('error', reject)
  })
}

function usage(pid: number): { descriptors: number; memory: number } {
  const memory = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, memory }
}

it('leave what is used as it was', patience, async () => {
  // What is made once, is made by the first.
  for (let round = 0; round < (long ? 3 : 1); round += 1) await crowd(round)
  const { caddy, supervisor } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
  const pids = [caddy?.pid ?? 0, supervisor?.pid ?? 0]
  const before = pids.map(usage)
  for (let round = 0; round < (long ? 10 : 2); round += 1) await crowd(100 + round)
  for (const [index, pid] of pids.entries())
    await until(
      `no more than a fifth more than before in ${index === 0 ? 'Caddy' : 'the supervisor'}`,
      async () => {
        await collectGarbage()
        const [now, then] = [usage(pid), before[index] ?? usage(pid)]
        // A program frees memory when it likes: so much is only asked of many rounds.
        const grown = long && now.memory > then.memory * 1.2
        if (grown || now.descriptors > then.descriptors * 1.2) throw new Error(JSON.stringify({ now, then }))
        return true
      },
      120_000,
    )
})
