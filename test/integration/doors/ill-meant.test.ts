import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { containerOf, countingServer, startProgram, urlOf } from '../../helpers/programs.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
const start = (name: string, program: string, ports?: string) => startProgram(sandbox, name, program, ports)

beforeAll(async () => {
  sandbox = new Sandbox()
  const serve = (name: string, address: string) => start(name, `${countingServer}server.listen(3000, '${address}')`)
  await Promise.all([serve('any4', '0.0.0.0'), serve('loopback', '127.0.0.1')])
  // It answers, once for all.
  await sandbox.get(urlOf(await agentNamed('any4')))
})
afterAll(() => sandbox.cleanUp())

async function agentNamed(name: string): Promise<AgentView> {
  const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
  const found = agents.find((agent) => agent.name === name)
  if (!found) throw new Error(`there is no agent ${name}`)
  return found
}

describe('agents side by side', () => {
  it('do not reach each other by their addresses, and reach the world', async () => {
    const { NetworkSettings } = await containerOf(sandbox, 'any4')
    const [network] = Object.values(NetworkSettings.Networks)
    const ask = `fetch('http://${network?.IPAddress}:3000', { signal: AbortSignal.timeout(1_500) }).then(() => 'reached', () => 'apart').then((t) => process.stdout.write(t))`
    const other = await sandbox.inside('loopback', 'node', '-e', ask)
    expect(other.stdout).toBe('apart')
    const itself = await sandbox.inside('any4', 'node', '-e', ask)
    expect(itself.stdout).toBe('reached')
  })
})

describe('a container that means ill', () => {
  it('reaches nothing of the user’s by putting other things where its sockets are', async () => {
    const victim = await agentNamed('any4')
    const tricks = `
const fs = require('node:fs')
const http = require('node:http')
const targets = ['/run/moat/proxy.sock', '/var/run/docker.sock', '${sandbox.home}/proxy/admin.sock', '${sandbox.home}/proxy/control.sock', '../../any4/in/3000']
let at = 0
setInterval(() => {
  const target = targets[at++ % targets.length]
  for (const name of ['3000', '3000.quick']) {
    try { fs.rmSync('/run/moat/in/' + name, { force: true, recursive: true }) } catch {}
    try {
      if (at % 3 === 0) fs.mkdirSync('/run/moat/in/' + name)
      else if (at % 3 === 1) fs.symlinkSync(target, '/run/moat/in/' + name)
      else http.createServer((q, r) => r.end('its own')).listen('/run/moat/in/' + name)
    } catch {}
  }
  for (let i = 0; i < 20; i++) fs.writeFileSync('/run/moat/in/junk' + Math.random(), '')
}, 5)
http.createServer((q, r) => r.end('its own')).listen(3000)`
    const agent = await start('hostile', tricks)
    const { supervisor } = await sandbox.json<{ supervisor: { pid: number } }>(['proxy', 'status'])
    const before = cpuSeconds(supervisor.pid)
    const began = performance.now()
    const seen = new Set<string>()
    const end = performance.now() + 4_000
    while (performance.now() < end) {
      const answer = await sandbox.get(`${urlOf(agent)}/version`).catch(() => undefined)
      if (answer) seen.add(answer.status === 200 ? answer.body : `${answer.status}`)
      expect((await sandbox.get(urlOf(victim))).body).toBe('GET 0 0')
    }
    expect([...seen].filter((body) => !['its own', '404', '502', '503'].includes(body))).toEqual([])
    const share = (cpuSeconds(supervisor.pid) - before) / ((performance.now() - began) / 1000)
    expect(share).toBeLessThan(0.9)
    await sandbox.json(['stop', 'hostile'])
    expect(readdirSync(join(sandbox.home, 'proxy/agents'))).toHaveLength((await sandbox.containers()).length)
  }, 60_000)
})

describe('an agent that opens every connection it can', () => {
  it('has its share, and nobody else notices', async () => {
    const hog = `
const net = require('node:net')
const port = Number(process.env.MOAT_HOST.split(':')[1])
let open = 0
const more = () => {
  const socket = net.connect(port, '127.0.0.1', () => {
    open += 1
    // A TLS handshake that is begun and never goes on.
    socket.write(Buffer.from('160301', 'hex'))
    if (open % 1_000 === 0) console.log(open)
  })
  socket.on('error', () => {})
}
for (let i = 0; i < 3_000; i++) setImmediate(more)
setInterval(() => {}, 1_000)`
    const agent = await start('hog', hog)
    const other = await agentNamed('any4')
    const { caddy } = await sandbox.json<{ caddy: { pid: number } }>(['proxy', 'status'])
    await until('its connections', async () => (await sandbox.moat(['logs', 'hog'])).stdout.includes('3000'), 60_000)
    const began = performance.now()
    for (let asked = 0; asked < 20; asked += 1) expect((await sandbox.get(urlOf(other))).body).toBe('GET 0 0')
    expect(performance.now() - began).toBeLessThan(40_000)
    const inside = await sandbox.moat([
      'exec',
      'any4',
      '--',
      'node',
      '-e',
      `fetch(process.env.MOAT_URL).then((r) => r.text()).then((t) => process.stdout.write(t))`,
    ])
    expect(inside.stdout).toBe('GET 0 0')
    expect(readdirSync(`/proc/${caddy.pid}/fd`).length).toBeLessThan(1_000)
    expect((await start('after', `${countingServer}server.listen(3000)`)).name).toBe('after')
    await sandbox.json(['stop', 'hog', 'after'])
    expect(agent.name).toBe('hog')
  }, 180_000)
})

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
