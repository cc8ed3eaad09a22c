// A Caddy that may open no more files: whoever holds connections open keeps others waiting, but once they let go everything goes on,
// and what shows and stops has worked all the while.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { patience } from '../../helpers/fuzz.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const sandbox = new Sandbox()
const held: Socket[] = []

afterAll(async () => {
  for (const socket of held) socket.destroy()
  await sandbox.cleanUp()
})

it('comes back when it has some again', patience, async () => {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  const url = endpoints[0]?.url ?? ''
  const answers = async () => (await sandbox.get(url)).body === 'app 3000'
  await until('an answer', answers)
  const { caddy, port } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
  const pid = caddy?.pid ?? 0
  const open = () => readdirSync(`/proc/${pid}/fd`).length
  const most = open() + 20
  execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${most}:${most}`])
  for (let number = 0; number < 60; number += 1) held.push(connect(port, '127.0.0.1').on('error', () => {}))
  await until('Caddy to have all it may', () => open() >= most - 1)
  for (const command of ['list', 'status', 'proxy status'])
    expect(await sandbox.moat(command.split(' '))).toMatchObject({ code: 0 })
  for (const socket of held) socket.destroy()
  await until('an answer again', answers, 60_000)
  // What changes the config is taken again too.
  const extra = sandbox.directory('other', {
    'moat.yaml':
      'name: other\ndependencies: [node@22]\nports: {web: {port: 3000, headers: {response: {X-A: b}}}}\ncommand: [node, server.js]\n',
    'server.js': "require('http').createServer((_, response) => response.end('other')).listen(3000)",
  })
  const other = await sandbox.json<AgentView>(['run', '-d', extra])
  await until(
    'the other',
    async () => (await sandbox.get(other.endpoints[0]?.url ?? '')).headers['x-a'] === 'b',
    60_000,
  )
  expect((await sandbox.moat(['stop', 'app', 'other'])).code).toBe(0)
})
