// What the proxy answers when no agent does, with real containers looked into.
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { ListenerReader } from '../../../src/engine/container-listeners.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { type Answer, Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const navigation = {
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Sec-Fetch-Mode': 'navigate',
}

let port: number
let sandbox: Sandbox

/** An agent whose server is this code. */
async function startAgent(
  name: string,
  code: string,
  ports: Record<string, number> = { web: 3000 },
): Promise<AgentView> {
  const workspace = sandbox.workspace(name, ports)
  sandbox.directory(name, { 'server.js': code })
  return sandbox.json<AgentView>(['run', '-d', workspace])
}

const url = (host: string, path = '/') => `https://${host}.localhost:${port}${path}`
/** Hosts that no running agent has come with the certificate of localhost. */
const ask = async (host: string, headers: Record<string, string> = {}, servername = `${host}.localhost`) => {
  const answer = await sandbox.get(url(host), { headers, servername })
  return { answer, json: JSON.parse(answer.body) as Record<string, unknown> }
}
const facts = ({ headers, status }: Answer) => [status, headers['x-moat-error'], headers['cache-control']]

beforeAll(async () => {
  sandbox = new Sandbox()
  const idle = 'setInterval(() => {}, 1000)'
  await startAgent('idle', `${idle}`)
  await startAgent('elsewhere', "require('http').createServer().listen(5173)")
  await startAgent('inside', "require('http').createServer().listen(3000, '127.0.0.1')")
  await startAgent('rude', "require('net').createServer((socket) => socket.destroy()).listen(3000)")
  port = (await sandbox.json<ProxyStatus>(['proxy', 'status'])).port
})
afterAll(() => sandbox.cleanUp())

describe('a host at which nobody answers', () => {
  it('is told apart: no such agent, no such endpoint', async () => {
    const agent = await ask('web.idel', {}, 'localhost')
    expect(facts(agent.answer)).toEqual([404, 'unknown_agent', 'no-store'])
    expect(agent.json).toMatchObject({ detail: 'There is no agent idel. Did you mean idle?', nearest: 'idle' })
    const endpoint = await ask('wbe.idle', {}, 'localhost')
    expect(facts(endpoint.answer)).toEqual([404, 'unknown_endpoint', 'no-store'])
    expect(endpoint.json).toMatchObject({ detail: 'idle has no endpoint wbe. Did you mean web?', endpoints: ['web'] })
  })

  it('is told what listens in the container instead', async () => {
    const [elsewhere, rude] = await Promise.all([ask('web.elsewhere'), ask('web.rude')])
    expect(facts(elsewhere.answer)).toEqual([502, 'other_port', 'no-store'])
    expect(elsewhere.json.hint).toBe(
      'If that is it, set `web: 5173` under `ports` in moat.yaml, or have the server listen on 3000.',
    )
    expect(facts(rude.answer)).toEqual([502, 'bad_gateway', 'no-store'])
  })

  it('is told what a server speaks that is not as its endpoint says, wherever the endpoint is shown', async () => {
    const openssl = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=a']
    const workspace = sandbox.workspace('odd')
    execFileSync('openssl', [...openssl, '-keyout', 'key.pem', '-out', 'cert.pem'], { cwd: workspace, stdio: 'ignore' })
    sandbox.directory('odd', {
      'moat.yaml': `name: odd\ndependencies: [node@22]\ncommand: [node, server.js]\nports: {reset: 3000, ssh: 3001, tls: 3002, plain: {port: 3003, protocol: https}, six: 3004}\n`,
      'server.js': `const [fs, http, https, net] = ['fs', 'http', 'https', 'net'].map(require)
net.createServer((socket) => socket.resetAndDestroy()).listen(3000)
net.createServer((socket) => socket.on('error', () => {}).write('SSH-2.0-OpenSSH_9.9\\r\\n')).listen(3001)
https.createServer({ cert: fs.readFileSync('cert.pem'), key: fs.readFileSync('key.pem') }).listen(3002)
http.createServer((_, response) => response.end()).listen(3003)
http.createServer((_, response) => response.end('six')).listen({ host: '::', ipv6Only: true, port: 3004 })`,
    })
    await sandbox.json(['run', '-d', workspace])
    const details: Record<string, string> = {
      plain: 'The server on port 3003 speaks plain HTTP, not HTTPS as moat.yaml has it.',
      reset: 'The server on port 3000 accepts connections and closes them without an answer.',
      ssh: 'The server on port 3001 speaks SSH, not HTTP.',
      tls: 'The server on port 3002 speaks HTTPS, not plain HTTP as moat.yaml has it.',
    }
    // Engines give no IPv6 to containers unless they are told to, and then nobody reaches it.
    details.six =
      'The server on port 3004 listens where the proxy does not reach it: on IPv6 only, or on an address of its own.'
    const told = await Promise.all(
      Object.keys(details).map(async (endpoint) => {
        const { body, headers, status } = await sandbox.get(url(`${endpoint}.odd`))
        return { body, endpoint, error: headers['x-moat-error'], status }
      }),
    )
    if (told.some(({ body }) => body === 'six')) delete details.six
    for (const { body, endpoint, error, status } of told.filter(({ endpoint }) => endpoint in details))
      expect([status, error, JSON.parse(body).detail]).toEqual([502, 'bad_gateway', details[endpoint]])
    const waited = await sandbox.moat(['wait', 'odd', 'ssh', '--timeout', '1'])
    expect([waited.code, waited.stderr.replace(/\s+/g, ' ')]).toEqual([12, expect.stringContaining(details.ssh ?? '')])
    const shown = (agents: AgentView[]) => {
      const { endpoints = [] } = agents.find(({ name }) => name === 'odd') ?? {}
      return Object.fromEntries(endpoints.flatMap((one) => ('problem' in one ? [[one.name, one.problem]] : [])))
    }
    const index = JSON.parse((await sandbox.get(`https://localhost:${port}/`)).body) as { agents: AgentView[] }
    expect(shown(index.agents)).toEqual(details)
    expect(shown((await sandbox.json<{ agents: AgentView[] }>(['list'])).agents)).toEqual(details)
    expect(shown((await sandbox.json<{ runs: AgentView[] }>(['status'])).runs)).toEqual(details)
  })

  it('is a page for a browser: soon, not cached, and with nothing inline', async () => {
    // An agent is starting for half a minute.
    await startAgent('fresh', 'setInterval(() => {}, 1000)')
    const timed = async (headers: Record<string, string>) => {
      const asked = performance.now()
      return { answer: await sandbox.get(url('web.fresh'), { headers }), took: performance.now() - asked }
    }
    const [{ answer: page, took }, program] = await Promise.all([timed(navigation), timed({})])
    // Programs are held for five seconds.
    expect(took).toBeLessThan(program.took - 1_000)
    expect(facts(page)).toEqual([503, 'starting', 'no-store'])
    expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'retry-after': '1' })
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
    expect(page.body).toContain('<h1>fresh is starting</h1>')
    expect(page.body).not.toMatch(/<style|style=|<script>|\son[a-z]+=/)
  })

  it('is 503 with a time to come back for others, who are held longer', async () => {
    const { answer, json } = await ask('web.fresh')
    expect(facts(answer)).toEqual([503, 'starting', 'no-store'])
    expect([answer.headers['retry-after'], json.hint]).toEqual(['1', 'moat wait fresh web'])
  })

  it('is told that its agent has ended', async () => {
    const { runId } = await startAgent('brief', 'setTimeout(() => process.exit(3), 1000)')
    const { json } = await until(
      'its end',
      async () => {
        const found = await ask('web.brief', {}, 'localhost')
        return found.json.error === 'agent_stopped' && found
        // A question asked before the end is held for five seconds.
      },
      30_000,
    )
    expect(json).toMatchObject({ agent: 'brief', hint: `moat logs ${runId}` })
  })
})

describe('a page that waits', () => {
  it('hears of the first listen soon, and the URL answers then', async () => {
    const listens = `const waiting = setInterval(() => {
      if (!require('fs').existsSync('/workspace/go')) return
      clearInterval(waiting)
      require('http').createServer((_, r) => r.end('there')).listen(3000)
    }, 20)`
    await startAgent('late', listens)
    const page = await sandbox.get(url('web.late'), { headers: navigation })
    const seen = /data-seen="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const answer = sandbox.get(url('web.late', `/_moat/changed?seen=${encodeURIComponent(seen)}`))
    sandbox.directory('late', { go: '' })
    const asked = performance.now()
    expect(JSON.parse((await answer).body)).toEqual({ changed: true })
    expect(performance.now() - asked).toBeLessThan(5_000)
    expect((await sandbox.get(url('web.late'))).body).toBe('there')
  })
})

describe('the container', () => {
  it('is asked itself where its processes are not those of this machine', async () => {
    const engine = await connectEngine({ moatHome: sandbox.home })
    const { agents } = await engine.listAgents()
    const inside = agents.find(({ name }) => name === 'inside')?.containerId ?? ''
    const exec = engine.sessions.exec.bind(engine.sessions)
    const reader = new ListenerReader({ docker: sandbox.docker, exec, proc: '/nonexistent' })
    // The other is moat's own, which hands on to the proxy.
    const listeners = [port, 3000].map((port) => ({ loopback: true, port }))
    expect(await reader.read(inside)).toMatchObject({ listeners: expect.arrayContaining(listeners), quick: false })
    const asHere = await engine.sessions.listeners(inside)
    expect(asHere.listeners.filter(({ port }) => port === 3000)).toEqual([{ loopback: true, port: 3000 }])
  })
})

describe('without a supervisor', () => {
  it('agents answer, and what the proxy says of its own is short but right', async () => {
    const { url: working } = (
      await startAgent('works', "require('http').createServer((_, r) => r.end('works')).listen(3000)")
    ).endpoints[0] ?? { url: '' }
    const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    process.kill(status.supervisor?.pid ?? 0, 'SIGKILL')
    expect((await sandbox.get(working)).body).toBe('works')
    const json = { Accept: 'application/json' }
    const [index, nobody, rude] = await Promise.all([
      sandbox.get(`https://localhost:${port}/`),
      ask('web.nobody', json, 'localhost'),
      ask('web.rude', json),
    ])
    expect([index.status, index.body]).toEqual([
      503,
      "The proxy's supervisor does not answer, so there is no page to show. Agents are reached all the same.\n\nTry this:\n  moat proxy status\n",
    ])
    expect([facts(nobody.answer), nobody.json.hint]).toEqual([[404, 'unknown_host', 'no-store'], 'moat list'])
    expect(facts(rude.answer)).toEqual([502, 'not_listening', 'no-store'])
    await sandbox.json(['proxy', 'status'])
    expect((await ask('web.nobody', {}, 'localhost')).json.error).toBe('unknown_agent')
  })
})
