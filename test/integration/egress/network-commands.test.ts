// What `moat network` says and changes, of agents that run.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
let workspace: string
let agent: AgentView
const host = createServer((request, response) => response.end(`stub ${request.headers.host}`))

beforeAll(async () => {
  sandbox = new Sandbox()
  host.listen(0, '127.0.0.1')
  await once(host, 'listening')
  const at = `127.0.0.1:${(host.address() as AddressInfo).port}`
  sandbox.env.MOAT_TEST_HOSTS = ['b.test', 'unnamed.test'].map((name) => `${name}:80=${at}`).join()
  const text = (name: string, more: string) =>
    `name: ${name}\ndependencies: [node@22]\ncommand: [sleep, infinity]\n${more}`
  workspace = sandbox.directory('app', {
    'moat.yaml': text('app', 'network:\n  rules:\n    - a.test\n    - deny: b.test\n'),
  })
  const open = sandbox.directory('open', { 'moat.yaml': text('open', '') })
  agent = await sandbox.json<AgentView>(['run', '-d', '--allow', 'c.test GET /x/**', workspace])
  await sandbox.json(['run', '-d', open])
}, 240_000)
afterAll(async () => {
  await sandbox.cleanUp()
  host.close()
})

const check = async (...args: string[]) => (await sandbox.told(['network', 'check', ...args])).stdout.trim()

it('keeps a permissive agent from what is denied, by the proxy, and from nothing else', async () => {
  const why = '(error) => console.log(error.cause.cause.message)'
  const ask = (url: string) => `await fetch('${url}').then(async (r) => console.log(await r.text()), ${why})`
  const network = "console.log(Object.keys(os.networkInterfaces()).length > 1 ? 'has a network' : 'has none')"
  const code = `import os from 'node:os'; ${ask('http://b.test/')}; ${ask('http://unnamed.test/')}; ${network}`
  const { stderr, stdout } = await sandbox.inside('app', 'node', '--input-type=module', '-e', code)
  expect(stdout.split('\n').slice(0, 3), stderr).toEqual([
    expect.stringContaining('403'),
    'stub unnamed.test',
    'has a network',
  ])
  const line = /^\S+Z {2}blocked {2}app {2}b\.test:80 {2}deny: b\.test\n$/
  const blocked = async () => (await sandbox.told(['network', 'log', '--blocked', 'app'])).stdout
  await until('the line in the log', async () => line.test(await blocked()))
  const summary = async () => (await sandbox.told(['status'])).stdout
  await until('its summary', async () => /^app +permissive +1 host +b\.test$/m.test(await summary()))
})

it('is about the rules the agent has, those of flags, and those that were added, at once', async () => {
  expect(await check('app', 'https://a.test/')).toMatch(/^allowed: GET a\.test\/, by a\.test \(app\/moat\.yaml:6:7\)$/)
  expect(await check('app', 'https://c.test/x/1')).toMatch(/^allowed: .* by allow GET \/x\/\*\* \(--allow\)/)
  expect(await check('app', 'b.test:8443')).toMatch(/^refused: .* by deny: b\.test \(app\/moat\.yaml:7:7\)$/)
  const allowed = await sandbox.told(['network', 'allow', '--save', 'app', 'b.test:8443'])
  expect(allowed).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('app may now reach b.test:8443, until it ends.'),
  })
  expect(await check('app', 'b.test:8443')).toMatch(/^allowed: .* by b\.test:8443 \(moat network allow\)$/)
  expect(readFileSync(join(workspace, 'moat.yaml'), 'utf8')).toContain('  rules:\n    - "b.test:8443"\n    - a.test\n')
  expect(await check(workspace, 'b.test:8443')).toMatch(/^allowed: .* by b\.test:8443 \(app\/moat\.yaml:6:7\)$/)
  const denied = await sandbox.json(['network', 'deny', agent.runId, 'a.test POST /y'])
  expect(denied).toMatchObject({
    agent: 'app',
    rules: [{ host: 'a.test', paths: [{ effect: 'deny', method: 'POST' }] }],
  })
  expect(await check('-X', 'POST', 'app', 'https://a.test/y')).toMatch(/^refused: /)
  expect(await check('app', 'https://a.test/y')).toMatch(/^allowed: /)
})

it('refuses what could not hold, what config.yaml never allows, and what is no rule', async () => {
  const none = await sandbox.told(['network', 'deny', 'open', 'a.test'])
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('open was started without a policy') })
  writeFileSync(join(sandbox.home, 'config.yaml'), 'never: {network: ["*.evil.test"]}\n')
  const never = await sandbox.told(['network', 'allow', 'app', 'x.evil.test'])
  expect(never).toMatchObject({ code: 2, stderr: expect.stringContaining('never.network has "*.evil.test"') })
  expect(await check('app', 'x.evil.test')).toMatch(/no rule denies it/)
  const wrong = await sandbox.told(['network', 'allow', 'app', 'https://a.test/x'])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('must be a host without a scheme') })
})

it('asks for what is looser than a strict default, once', async () => {
  writeFileSync(join(sandbox.home, 'config.yaml'), 'network: {policy: strict}\n')
  const asking = sandbox.directory('asking', {
    'moat.yaml': 'name: asking\ndependencies: [node@22]\ncommand: [sleep, infinity]\nnetwork: {rules: [a.test]}\n',
  })
  const refused = await sandbox.told(['run', '-d', asking], { asks: true })
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/network\.rules +a\.test +\(asking\/moat\.yaml:4:19\)/),
  })
  expect((await sandbox.told(['approve', '--yes', asking], { asks: true })).code).toBe(0)
  expect((await sandbox.told(['approve', asking], { asks: true })).stdout).toContain(
    'asks for nothing that is not allowed',
  )
})
