// The index as data, its counters, and who may not act on it.
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IndexEndpoint, IndexView } from '../../../src/pages/view.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let origin: string
let port: number
let sandbox: Sandbox
let shop: AgentView

const url = (path: string) => `${origin}${path}`
const index = async (path = '/') => JSON.parse((await sandbox.get(url(path))).body) as IndexView
const endpoint = async (name = 'web'): Promise<IndexEndpoint> => {
  const found = (await index('/agents/shop')).agents[0]?.endpoints.find((one) => one.name === name)
  if (!found) throw new Error(`There is no ${name}.`)
  return found
}

/** Asks the supervisor over its control socket, as moat does. */
function control<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const socketPath = join(sandbox.home, 'proxy/control.sock')
    const outgoing = request({ method: 'POST', path, socketPath }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(JSON.parse(text) as T))
    })
    outgoing.on('error', reject).end()
  })
}

beforeAll(async () => {
  sandbox = new Sandbox()
  const workspace = sandbox.workspace('shop', { web: 3000, api: 8080 })
  sandbox.directory('shop', {
    'moat.yaml': `name: shop
dependencies: [node@22]
ports:
  web: 3000
  api: 8080
  report: {type: static, path: .}
command: [node, server.js]
`,
    'server.js': `for (const port of [3000, 8080]) require('node:http').createServer((request, response) => {
  if (request.url === '/fail') response.statusCode = 500
  setTimeout(() => response.end('shop'), request.url === '/slow' ? 300 : 0)
}).listen(port)
console.log('listening')
`,
  })
  shop = await sandbox.json<AgentView>(['run', '-d', workspace])
  port = (await sandbox.json<ProxyStatus>(['proxy', 'status'])).port
  origin = `https://localhost:${port}`
})
afterAll(() => sandbox.cleanUp())

describe('the index', () => {
  it('is what its schema says, with the URLs that moat list prints', async () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse(readFileSync('docs/reference/index.schema.json', 'utf8')),
    )
    const view = await until('the server', async () => {
      const found = await index()
      return found.agents[0]?.endpoints.every(({ health }) => health === 'answering') && found
    })
    expect(validate(view), JSON.stringify(validate.errors)).toBe(true)
    expect(view.url).toBe(origin)
    expect(view.agents.map(({ baseUrl, name }) => [name, baseUrl])).toEqual([
      ['shop', `https://shop.localhost:${port}`],
    ])
    const listed = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(view.agents[0]?.endpoints.map((one) => one.url)).toEqual(listed.agents[0]?.endpoints.map((one) => one.url))
    // A schema that takes anything would prove nothing.
    expect(validate({ ...view, agents: [{ ...view.agents[0], endpoints: [{ name: 'web' }] }] })).toBe(false)
  })

  it('is a page of the agent at its bare host, when it has several endpoints', async () => {
    const answer = await sandbox.get(`https://shop.localhost:${port}/`)
    expect((JSON.parse(answer.body) as IndexView).agents.map(({ name }) => name)).toEqual(['shop'])
    const page = await sandbox.get(`https://shop.localhost:${port}/`, { headers: { Accept: 'text/html' } })
    expect(page.body).toContain(`href="${origin}/agents/shop">Open on the dashboard</a>`)
    expect(page.body).not.toContain('data-action="stop"')
  })

  it('is where an address leads', async () => {
    const answer = await sandbox.get(url('/'), { headers: { Host: `127.0.0.1:${port}` } })
    expect([answer.status, answer.headers.location]).toEqual([307, origin])
  })

  it('has no agent that is not there', async () => {
    const answer = await sandbox.get(url('/agents/shpo'))
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      404,
      { detail: 'There is no agent shpo. Did you mean shop?', error: 'unknown_agent', hint: origin },
    ])
    const page = await sandbox.get(url('/agents/shpo'), { headers: { Accept: 'text/html' } })
    expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
    expect(page.body).toContain('<h1>There is no agent shpo</h1>')
  })
})

describe('counters', () => {
  const web = (path = '/') => sandbox.get(`https://web.shop.localhost:${port}${path}`)
  const total = async (requests: number) =>
    until(`${requests} requests counted`, async () => {
      const { counters } = await endpoint()
      return counters.requests >= requests && counters
    })

  it('count requests, errors and times, for each endpoint by itself', async () => {
    for (let round = 0; round < 5; round += 1) await web()
    await web('/fail')
    await web('/slow')
    const counters = await total(7)
    expect(counters).toMatchObject({ errorRate: 0.1429, errors: 1, requests: 7 })
    // One of seven was slow.
    expect(counters.p95).toBeGreaterThan(250)
    expect(counters.p50).toBeLessThan(counters.p95 ?? 0)
    expect(counters.history.reduce((sum, count) => sum + count, 0)).toBe(7)
    expect((await endpoint('api')).counters.requests).toBe(0)
  })

  it('begin at zero with each run', async () => {
    const workspace = sandbox.workspace('again')
    const requests = async () => (await index('/agents/again')).agents[0]?.endpoints[0]?.counters.requests
    for (const count of [3, 1]) {
      await sandbox.json(['run', '-d', workspace])
      expect(await requests()).toBe(0)
      for (let asked = 0; asked < count; asked += 1) await sandbox.get(`https://web.again.localhost:${port}/`)
      await until(`${count} requests`, async () => (await requests()) === count)
      await sandbox.json(['stop', 'again'])
    }
  })

  it('survive config pushes and a Caddy that dies', async () => {
    const before = (await endpoint()).counters.requests
    await web()
    await sandbox.json(['run', '-d', sandbox.workspace('other')])
    await sandbox.json(['stop', 'other'])
    expect((await total(before + 1)).requests).toBe(before + 1)
    const { caddy } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    process.kill(caddy?.pid ?? 0, 'SIGKILL')
    await until('Caddy', async () => (await web()).status === 200)
    expect((await total(before + 2)).requests).toBeGreaterThanOrEqual(before + 2)
  })
})

describe('acting', () => {
  const headers = (change: Record<string, string> = {}) => ({
    Origin: origin,
    'Sec-Fetch-Site': 'same-origin',
    ...change,
  })
  const post = (target: string, given: Record<string, string>, body = '') =>
    sandbox.get(target, { body, headers: given, method: 'POST' })
  const token = async () => {
    const { key } = await control<{ key: string }>('/key')
    const answer = await post(url('/_moat/key'), headers(), JSON.stringify({ key }))
    return { answer, key, token: (JSON.parse(answer.body) as { token: string }).token }
  }

  it('takes a key that is good once', async () => {
    const first = await token()
    expect(first.answer.status).toBe(200)
    const again = await post(url('/_moat/key'), headers(), JSON.stringify({ key: first.key }))
    expect([again.status, JSON.parse(again.body).detail]).toEqual([
      403,
      'This key was not given out, was used already, or is too old.',
    ])
  })

  it('is for nobody else: no token, another page, another host, a page of an agent, a body of nonsense', async () => {
    const { token: good } = await token()
    const stop = `/_moat/agents/${shop.runId}/stop`
    const withToken = { 'X-Moat-Token': good }
    const evil = `https://web.shop.localhost:${port}`
    const refused = await Promise.all([
      post(url(stop), headers()),
      post(url(stop), headers({ 'X-Moat-Token': `${good.slice(1)}x` })),
      post(url(stop), headers({ ...withToken, Origin: evil })),
      post(url(stop), headers({ ...withToken, Origin: 'null' })),
      post(url(stop), headers({ ...withToken, 'Sec-Fetch-Site': 'same-site' })),
      post(url(stop), { ...withToken }),
      post(`https://shop.localhost:${port}${stop}`, headers(withToken)),
      post(`${evil}${stop}`, headers({ ...withToken, Origin: evil })),
      post(url('/_moat/key'), headers({ Origin: evil }), '{"key":"x"}'),
      post(url('/_moat/key'), headers(), '{"key":{"a":1}}'),
      post(url('/_moat/key'), headers(), 'nonsense'),
      sandbox.get(url(`/_moat/agents/${shop.runId}/log`)),
      sandbox.get(url(`/_moat/agents/${shop.runId}/requests`)),
      sandbox.get(url('/_moat/events'), { headers: { 'Sec-Fetch-Site': 'same-site' } }),
    ])
    expect(refused.map(({ status }) => status)).toEqual(refused.map((_, at) => (at === 6 || at === 7 ? 404 : 403)))
    expect((await index('/agents/shop')).agents[0]?.state).toBe('running')
  })

  it('is out of reach for a container', async () => {
    const tryIt = `const { connect } = require('node:net')
const gateway = require('node:fs').readFileSync('/proc/net/route', 'utf8').split('\\n')
  .map((line) => line.split('\\t')).find(([, destination]) => destination === '00000000')[2]
const address = gateway.match(/../g).reverse().map((byte) => parseInt(byte, 16)).join('.')
connect({ host: address, port: ${port} })
  .on('connect', () => console.log('reached')).on('error', ({ code }) => console.log(code))
for (const url of ['${url('/')}', '${url('/_moat/key')}'])
  fetch(url, { headers: { Accept: 'application/json' } }).then(async (answer) => console.log(answer.status, (await answer.json()).error))`
    const { stdout } = await sandbox.inside('shop', 'node', '-e', tryIt)
    expect(stdout).toBe('ECONNREFUSED\n403 not_your_agent\n403 not_your_agent\n')
  })

  it('is not to be had from another page: nothing allows cross-origin reading or framing', async () => {
    const evil = { Accept: 'text/html', Origin: `https://web.shop.localhost:${port}` }
    const [page, data, preflight] = await Promise.all([
      sandbox.get(url('/'), { headers: evil }),
      sandbox.get(url('/'), { headers: { Origin: evil.Origin } }),
      sandbox.get(url(`/_moat/agents/${shop.runId}/stop`), {
        headers: { ...evil, 'Access-Control-Request-Headers': 'x-moat-token', 'Access-Control-Request-Method': 'POST' },
        method: 'OPTIONS',
      }),
    ])
    for (const answer of [page, data, preflight]) {
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
      expect(answer.headers['set-cookie']).toBeUndefined()
      expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin')
    }
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'cross-origin-opener-policy': 'same-origin' })
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    // Nothing on the page is a secret: whoever may look may look.
    expect(page.body).not.toContain((await token()).token)
  })

  it('reads the log and stops the agent, for the dashboard', async () => {
    const { token: good } = await token()
    const given = headers({ 'X-Moat-Token': good })
    const log = await sandbox.get(url(`/_moat/agents/${shop.runId}/log`), { headers: given })
    expect([log.status, log.body]).toEqual([200, 'listening\n'])
    const stopped = await post(url(`/_moat/agents/${shop.runId}/stop`), given)
    expect([stopped.status, JSON.parse(stopped.body)]).toEqual([200, { name: 'shop', runId: shop.runId }])
    expect(await sandbox.containers()).toEqual([])
  })
})
