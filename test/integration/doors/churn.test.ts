// Agents that come and go are nothing that the clients of another agent notice, if these are as strict as can be: they never
// try again, and never make a second connection.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { long } from '../../helpers/fuzz.js'
import { startLabelled } from '../../helpers/labelled-agent.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'
import { openWebSocket } from '../../helpers/web-socket.js'

const agents = long ? 20 : 12
/** So many start, and stop, at the same time. */
const together = 4
const connections = 16
/** Of a connection between an answer and the next question, so that there is time for agents to start. Milliseconds. */
const pause = 20

const server = `
const http = require('node:http')
const server = http.createServer((request, response) => {
  if (request.url !== '/events') return response.end('app')
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  setInterval(() => response.write('data: tick\\n\\n'), 50)
})
server.keepAliveTimeout = 0
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(3000)
`

let sandbox: Sandbox
let url: URL
let agent: Agent
let sessions: ClientHttp2Session[]
let failures: string[]
let answers: { h1: number; h2: number }
let made: number

const target = (path: string) => ({
  agent,
  ca: sandbox.certificate,
  headers: { Host: url.host },
  host: '127.0.0.1',
  path,
  port: url.port,
  servername: url.hostname,
})

beforeAll(async () => {
  sandbox = new Sandbox()
  agent = new Agent({ keepAlive: true, maxSockets: connections + 2 })
  failures = []
  answers = { h1: 0, h2: 0 }
  made = 0
  const workspace = sandbox.workspace('app')
  sandbox.directory('app', { 'server.js': server })
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', workspace])
  url = new URL(endpoints[0]?.url ?? '')
  expect((await sandbox.get(url.href)).body).toBe('app')
  sessions = Array.from({ length: connections / 4 }, () => {
    const session = connect(`https://127.0.0.1:${url.port}`, { ca: sandbox.certificate, servername: url.hostname })
    return session.on('goaway', () => failures.push('GOAWAY')).on('error', (error) => failures.push(`h2: ${error}`))
  })
})
afterAll(async () => {
  for (const session of sessions ?? []) session.destroy()
  agent.destroy()
  await sandbox.cleanUp()
})

async function askOverHttp1(): Promise<void> {
  const outgoing = request(target('/')).end()
  const [response] = await once(outgoing, 'response')
  if (!outgoing.reusedSocket) made += 1
  await once(response.resume(), 'end')
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
  answers.h1 += 1
}

async function askOverHttp2(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ':authority': url.host, ':path': '/' })
  const [headers] = await once(stream, 'response')
  await once(stream.resume(), 'end')
  if (headers[':status'] !== 200) throw new Error(`status ${headers[':status']}`)
  answers.h2 += 1
}

/** Asks again and again until `signal` aborts; a failure is noted, and what comes after it goes on. */
async function keepAsking(ask: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ask().catch((error) => failures.push(String(error)))
    await wait(pause)
  }
}

async function comeAndGo(name: string): Promise<void> {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace(name)])
  expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe(`${name} 3000`)
  await sandbox.json(['stop', name])
}

/** An agent by its labels whose container never makes the sockets that it is reached by. */
const startWithoutSockets = () =>
  startLabelled(sandbox, {
    endpoints: [{ name: 'web', port: 3000, type: 'http' }],
    name: 'silent',
    routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
    wayIn: 'sockets',
  })

describe('the clients of an agent', () => {
  it(`notice nothing of ${agents} others that start and stop`, async () => {
    const done = new AbortController()
    const socket = await openWebSocket(target('/socket'))
    socket.on('close', () => failures.push('the WebSocket was closed'))
    let echoed = ''
    socket.on('data', (chunk) => {
      echoed += chunk
    })
    const [events] = await once(request({ ...target('/events'), agent: false }).end(), 'response')
    let ticks = 0
    events.on('data', () => {
      ticks += 1
    })
    events.on('close', () => failures.push('the event stream was closed'))
    const asking = [
      ...Array.from({ length: connections }, () => keepAsking(askOverHttp1, done.signal)),
      ...sessions
        .flatMap((session) => Array(4).fill(() => askOverHttp2(session)))
        .map((ask) => keepAsking(ask, done.signal)),
    ]
    const config = JSON.stringify(await sandbox.caddyConfig())
    try {
      for (let first = 0; first < agents; first += together)
        await Promise.all(Array.from({ length: together }, (_, index) => comeAndGo(`guest-${first + index}`)))
    } finally {
      done.abort()
      await Promise.all(asking)
    }
    expect(failures).toEqual([])
    expect(answers.h1).toBeGreaterThan(agents * 50)
    expect(answers.h2).toBeGreaterThan(agents * 50)
    expect(made).toBeLessThanOrEqual(connections)
    expect(JSON.stringify(await sandbox.caddyConfig())).toBe(config)
    socket.write('still here')
    await until('the echo', () => echoed === 'still here')
    const seen = ticks
    await until('more events', () => ticks > seen + 2)
    expect(failures).toEqual([])
    for (const one of [socket, events]) one.removeAllListeners('close').destroy()
  }, 180_000)

  it('notice nothing of one that ends while the sockets of another are waited for', async () => {
    const guest = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('ends')])
    const config = JSON.stringify(await sandbox.caddyConfig())
    const silent = await startWithoutSockets()
    await until('the supervisor to know of it', () =>
      existsSync(join(sandbox.home, 'proxy/expected/web.silent.localhost')),
    )
    const ending = (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.run-id'] === guest.runId)
    await sandbox.docker.getContainer(ending?.Id ?? '').remove({ force: true })
    // Its command returns once everything before it is served.
    await sandbox.json(['run', '-d', sandbox.workspace('last')])
    expect(JSON.stringify(await sandbox.caddyConfig())).toBe(config)
    await silent.remove({ force: true })
  })
})
