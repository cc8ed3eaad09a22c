// Numbers in files are nobody's word: processes of strangers are never ended, never shown, and never taken for moat's.
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { caddyArguments } from '../../../src/caddy/caddy-arguments.js'
import { findCaddy } from '../../../src/caddy/find-caddy.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { ownCaddys, ownSupervisor } from '../../../src/upkeep/own-processes.js'
import { Sandbox } from '../../helpers/sandbox.js'

const sandbox = new Sandbox()
const paths = moatPaths({ MOAT_HOME: sandbox.home })
let stranger: ChildProcess

beforeAll(async () => {
  const { path } = await findCaddy({ env: process.env, paths })
  // It calls itself as moat calls Caddy.
  const idle = ['-e', 'setInterval(() => {}, 1000)', '--']
  stranger = spawn(process.execPath, [...idle, ...caddyArguments(paths)], { argv0: path, stdio: 'ignore' })
})
afterAll(async () => {
  stranger.kill('SIGKILL')
  await sandbox.cleanUp()
})

const isAlive = () => stranger.exitCode === null && stranger.signalCode === null
const status = () => sandbox.json<ProxyStatus>(['proxy', 'status'])

it.each(['the number of a stranger', 'nonsense'])('a pid file with %s means nothing', async (text) => {
  await sandbox.json(['proxy', 'start', '--detach'])
  const before = await status()
  writeFileSync(paths.caddyPid, text === 'the number of a stranger' ? String(stranger.pid) : text)
  process.kill(before.supervisor?.pid ?? 0, 'SIGKILL')
  const after = await status()
  expect(after.caddy).toEqual(before.caddy)
  expect(after.supervisor?.pid).not.toBe(before.supervisor?.pid)
  expect((await ownCaddys(paths)).map(({ pid }) => pid)).toEqual([before.caddy?.pid])
  expect((await ownSupervisor(paths))?.pid).toBe(after.supervisor?.pid)
  // That it was to be kept died with its supervisor: a slow machine finds it stopped by then.
  expect((await sandbox.moat(['proxy', 'stop'])).stdout).toMatch(
    /^(Routing proxy stopped|The routing proxy is not running)\.\n$/,
  )
  expect((await sandbox.processes()).supervisors).toEqual([])
  expect(await ownCaddys(paths)).toEqual([])
  expect(isAlive()).toBe(true)
})

it('whoever else listens on the admin socket is not adopted', async () => {
  const config = { apps: { http: { https_port: 1, servers: { moat: { listen: ['fd/3'] } } } } }
  const server = createServer((_, response) => response.end(JSON.stringify(config)))
  rmSync(paths.adminSocket, { force: true })
  await new Promise<void>((resolve) => server.listen(paths.adminSocket, resolve))
  expect((await status()).status).toBe('stopped')
  await sandbox.json(['proxy', 'start', '--detach'])
  expect((await status()).port).not.toBe(1)
  expect(sandbox.log('supervisor')).not.toContain('on port 1\n')
  server.close()
  await sandbox.json(['proxy', 'stop'])
})
