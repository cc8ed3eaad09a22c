// Ports that nobody declared: with `discover: true` they have URLs while something listens there, without it they are named.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IndexView } from '../../../src/pages/view.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

/** Listens on what it is told to, by requests and by `moat exec`, on loopback as development servers do. */
const program = `
const http = require('node:http')
const servers = new Map()
const open = (port, done) => {
  const server = http.createServer((request, response) => response.end('port ' + port)).listen(port, '127.0.0.1', done)
  servers.set(port, server)
}
const control = http.createServer((request, response) => {
  const [, verb, port] = request.url.split('/')
  if (verb === 'open') return open(Number(port), () => response.end('opened'))
  if (verb === 'close') {
    servers.get(Number(port)).closeAllConnections()
    return servers.get(Number(port)).close(() => response.end('closed'))
  }
  response.end('web')
})
control.listen(3000)
`

const start = (name: string, keys: string, text = program) =>
  sandbox.json<AgentView>([
    'run',
    '-d',
    sandbox.directory(name, {
      'moat.yaml': `name: ${name}\ndependencies: [node@22]\ncommand: [node, server.js]\n${keys}\n`,
      'server.js': text,
    }),
  ])
const agentNamed = async (name: string) => {
  const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
  const found = agents.find((agent) => agent.name === name)
  if (!found) throw new Error(`there is no agent ${name}`)
  return found
}
const portOf = (url: string) => new URL(url).port
const namesOf = async (name: string) => (await agentNamed(name)).endpoints.map((endpoint) => endpoint.name)
const index = async (proxyPort: string) =>
  JSON.parse(
    (await sandbox.get(`https://localhost:${proxyPort}/`, { headers: { Accept: 'application/json' } })).body,
  ) as IndexView
const hosts = () => readdirSync(join(sandbox.home, 'proxy/hosts'))
const statusOf = async (url: string) => (await sandbox.get(url, { servername: 'localhost' })).status
/** Milliseconds until it holds. */
async function timeUntil(what: string, holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  await until(what, holds, 10_000)
  return performance.now() - began
}

beforeAll(() => {
  sandbox = new Sandbox()
})
afterAll(() => sandbox.cleanUp())

describe('an agent that discovers', () => {
  let web: string
  let found: string

  beforeAll(async () => {
    const agent = await start('finder', 'ports: {web: 3000}\ndiscover: true')
    web = agent.endpoints[0]?.url ?? ''
    found = web.replace('web.', '5173.')
    await until('the declared endpoint', async () => (await sandbox.get(web)).body === 'web')
  })

  it('has nothing but what is declared while nothing else listens', async () => {
    expect(await namesOf('finder')).toEqual(['web'])
    const problem = await sandbox.get(found, { headers: { Accept: 'application/json' }, servername: 'localhost' })
    expect(problem.status).toBe(502)
    expect(JSON.parse(problem.body)).toMatchObject({ error: 'not_listening', hint: 'moat wait finder 5173' })
  })

  it('has a URL within a second for what begins to listen, and everybody knows of it', async () => {
    await sandbox.get(`${web}/open/5173`)
    const took = await timeUntil(
      'the URL',
      async () => (await sandbox.get(found).catch(() => undefined))?.status === 200,
    )
    expect(took).toBeLessThan(1_000)
    expect((await sandbox.get(found)).body).toBe('port 5173')
    const endpoint = { discovered: true, name: '5173', port: 5173, type: 'http', url: found }
    expect((await agentNamed('finder')).endpoints[1]).toEqual(endpoint)
    expect((await sandbox.moat(['list'])).stdout).toContain('web:3000, 5173')
    expect((await sandbox.moat(['open', 'finder', '5173', '--print'])).stdout.trim()).toBe(found)
    const { runs } = await sandbox.json<{ runs: AgentView[] }>(['status'])
    expect(runs[0]?.endpoints[1]).toEqual(endpoint)
    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['proxy', 'status'])
    expect(agents[0]?.endpoints[1]).toEqual(endpoint)
    await until('the index', async () => {
      const [agent] = (await index(portOf(web))).agents
      return agent?.endpoints[1]?.health === 'answering' && agent.endpoints[1].url === found
    })
    const page = await sandbox.get(`https://localhost:${portOf(web)}/`, { headers: { Accept: 'text/html' } })
    expect(page.body).toContain(`<a href="${found}/">`)
  })

  it('does not change what its own host means', async () => {
    expect((await sandbox.get(web.replace('web.', ''))).body).toBe('web')
    expect((await sandbox.moat(['open', 'finder', '--print'])).stdout.trim()).toBe(web)
  })

  it('reaches what was discovered from inside, as anybody does', async () => {
    const outcome = await sandbox.inside('finder', 'node', '-e', insideProgram(found))
    expect(outcome.stdout).toBe('200 port 5173')
  })

  it('loses the URL when it stops listening, and nothing of it stays', async () => {
    await sandbox.get(`${web}/close/5173`)
    // A request in this very moment would wait for a server that starts again.
    const took = await timeUntil('the end of the URL', async () => !hosts().includes('5173.finder.localhost'))
    expect(took).toBeLessThan(1_000)
    expect(await statusOf(found)).toBe(502)
    expect(await namesOf('finder')).toEqual(['web'])
    expect((await sandbox.moat(['open', 'finder', '5173', '--print'])).code).not.toBe(0)
    for (const name of ['hosts', 'quick', 'expected', 'names', 'caddy/certificates/local'])
      expect(readdirSync(join(sandbox.home, 'proxy', name)).filter((one) => one.includes('5173'))).toEqual([])
  })

  it('can be waited for by the number', async () => {
    const waiting = sandbox.start(['wait', 'finder', '5174', '--timeout', '20'])
    await waiting.prints('Waiting for')
    await sandbox.get(`${web}/open/5174`)
    expect((await waiting.exited).code).toBe(0)
  })

  it('serves on while its supervisor is killed, and the next one knows as much', async () => {
    const url = web.replace('web.', '5174.')
    const { supervisor } = await sandbox.json<{ supervisor: { pid: number } }>(['proxy', 'status'])
    process.kill(supervisor.pid, 'SIGKILL')
    expect((await sandbox.get(url)).body).toBe('port 5174')
    await sandbox.json(['proxy', 'status'])
    await sandbox.get(`${web}/open/5175`)
    await until(
      'the next URL',
      async () => (await sandbox.get(web.replace('web.', '5175.')).catch(() => undefined))?.status === 200,
    )
    expect((await sandbox.get(url)).body).toBe('port 5174')
    expect(await namesOf('finder')).toEqual(['web', '5174', '5175'])
  })
})

/** Asks a URL without the system's resolver, which need not know of it. */
function insideProgram(url: string): string {
  return `
const { request } = require('node:https')
const { readFileSync } = require('node:fs')
const lookup = (_, options, done) => options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
request('${url}', { ca: readFileSync(process.env.MOAT_CA_CERT), lookup }, (response) => {
  let body = ''
  response.on('data', (chunk) => { body += chunk }).on('end', () => process.stdout.write(response.statusCode + ' ' + body))
}).end()`
}

describe('an agent that discovers and declares nothing', () => {
  it('has the proxy, a page, and a URL for each port that listens', async () => {
    const agent = await start('bare', 'discover: true')
    expect(agent.endpoints).toEqual([])
    const { port } = await sandbox.json<{ port: number }>(['proxy', 'status'])
    const url = `https://3000.bare.localhost:${port}`
    await until('the URL', async () => (await sandbox.get(url).catch(() => undefined))?.body === 'web')
    const page = await sandbox.get(`https://bare.localhost:${port}/`, { headers: { Accept: 'text/html' } })
    expect(page.status).toBe(200)
    expect(page.body).toContain(`<a href="${url}/">`)
    expect((await sandbox.moat(['open', 'bare', '--print'])).stdout.trim()).toBe(url)
    const env = await sandbox.inside('bare', 'sh', '-c', 'echo $MOAT_URL')
    expect(env.stdout.trim()).toBe(`http://bare.localhost:${port}`)
  })
})

describe('an agent that does not discover', () => {
  it('has its ports named, with the lines that publish them', async () => {
    const agent = await start('plain', 'ports: {web: 3000}')
    const web = agent.endpoints[0]?.url ?? ''
    await until('the declared endpoint', async () => (await sandbox.get(web)).body === 'web')
    expect(await agentNamed('plain')).not.toHaveProperty('undeclared')
    await sandbox.get(`${web}/open/5173`)
    expect(await agentNamed('plain')).toMatchObject({ endpoints: [{ name: 'web' }], undeclared: [5173] })
    expect((await sandbox.moat(['list'])).stdout).not.toContain('5173')
    await until('the index', async () => {
      const found = (await index(portOf(web))).agents.find(({ name }) => name === 'plain')
      return `${found?.undeclared}` === '5173'
    })
    const page = await sandbox.get(`https://localhost:${portOf(web)}/agents/plain`, {
      headers: { Accept: 'text/html' },
    })
    expect(page.body).toContain('<code>ports: {app: 5173}</code>')
    expect(page.body).toContain('<code>discover: true</code>')
    const url = web.replace('web.', '5173.')
    const problem = await sandbox.get(url, { headers: { Accept: 'application/json' }, servername: 'localhost' })
    expect(problem.status).toBe(404)
    expect(problem.body).toContain('discover: true')
  })
})

describe('a container that means ill', () => {
  it('has no more URLs than there is room for, costs little, and gets nobody else’s sockets', async () => {
    const tricks = `
const fs = require('node:fs')
const net = require('node:net')
const names = (port) => ['', '.quick', '.probe'].map((suffix) => '/run/moat/in/' + port + suffix)
for (const name of names(1)) fs.symlinkSync('/run/moat/proxy.sock', name)
for (const name of names(2)) fs.writeFileSync(name, '')
for (const name of names('03')) net.createServer().listen(name)
for (const name of names(65536)) net.createServer().listen(name)
for (let port = 10000; port < 10200; port++) for (const name of names(port)) net.createServer().listen(name)
setInterval(() => {
  for (const name of names(7)) {
    if (fs.existsSync(name)) fs.rmSync(name)
    else net.createServer().listen(name)
  }
}, 5)
for (let i = 0; i < 200; i++) fs.writeFileSync('/run/moat/in/junk' + i, '')
console.log('done')`
    await start('hostile', 'discover: true', tricks)
    const { supervisor, port } = await sandbox.json<{ port: number; supervisor: { pid: number } }>(['proxy', 'status'])
    await until('the mess', async () => (await sandbox.moat(['logs', 'hostile'])).stdout.includes('done'), 20_000)
    const names = await namesOf('hostile')
    expect(names).toHaveLength(64)
    for (const name of ['1', '2', '03', '65536']) expect(names).not.toContain(name)
    const before = cpuSeconds(supervisor.pid)
    const began = performance.now()
    await until(
      'some time of flapping',
      async () => {
        expect((await sandbox.get(`https://web.finder.localhost:${port}`)).body).toBe('web')
        return performance.now() - began > 4_000
      },
      10_000,
    )
    const share = (cpuSeconds(supervisor.pid) - before) / ((performance.now() - began) / 1000)
    expect(share).toBeLessThan(0.5)
    expect(
      readdirSync(join(sandbox.home, 'proxy/hosts')).filter((host) => host.includes('hostile')).length,
    ).toBeLessThanOrEqual(64)
    await sandbox.json(['stop', 'hostile'])
  }, 60_000)
})

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
