// What people are told of ports that nobody declared, and of those that were discovered.
import { describe, expect, it } from 'vitest'
import { explainHost } from '../../../src/pages/explain-host.js'
import { indexPage } from '../../../src/pages/index-page.js'
import { problemJson, problemPage } from '../../../src/pages/problem-page.js'
import { viewIndex } from '../../../src/pages/view.js'
import type { Agent } from '../../../src/routing/agent.js'
import { Counters } from '../../../src/supervisor/counters.js'

const now = Date.parse('2026-11-24T12:00:00Z')
const address = { domain: 'localhost', port: 8080 }
const shop: Agent = {
  containerId: 'c1',
  createdAt: '2026-11-24T11:58:00.000Z',
  endpoints: [{ name: 'web', port: 3000, type: 'http' }],
  forwards: [8080],
  keep: false,
  name: 'shop',
  published: {},
  routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
  runId: 'run_0123456789ab',
  state: 'running',
  wayIn: 'sockets',
  workspace: '/src',
}
const discovering: Agent = {
  ...shop,
  discover: true,
  endpoints: [...shop.endpoints, { discovered: true, name: '5173', port: 5173, type: 'http' }],
  routes: [...shop.routes, { discovered: true, endpoint: '5173', upstream: { port: 5173, protocol: 'http' } }],
}
const look = (...ports: number[]) => ({
  listeners: ports.map((port) => ({ loopback: false, port })),
  startedAt: now - 3_600_000,
})
const problem = (host: string, agent: Agent, ...ports: number[]) =>
  explainHost(host, { address, agents: [agent], asked: true, look: look(...ports), now, quote: String })
const view = (agent: Agent, ...ports: number[]) =>
  viewIndex([agent], {
    address,
    countersOf: (hosts) => new Counters().of(hosts, now),
    lookOf: () => look(...ports),
    networkOf: () => [],
    now,
  })
const page = (agent: Agent, ...ports: number[]) =>
  indexPage(view(agent, ...ports), { actions: true, index: 'https://localhost:8080', now })

describe('a page that waits for an endpoint', () => {
  it('names the port on which something listens, and both lines that publish it', () => {
    const found = problem('web.shop.localhost', shop, 5173)
    expect(problemJson(found)).toMatchObject({
      error: 'other_port',
      note: 'Something listens on port 5173, which has no URL: `ports: {web: 5173}` in moat.yaml gives it one, `discover: true` whatever listens.',
      undeclared: [5173],
    })
    const text = problemPage(found, { index: 'https://localhost:8080', url: 'https://web.shop.localhost:8080' })
    expect(text).toContain('data-text="web: 5173"')
    expect(text).toContain('<code>discover: true</code>')
    // Once is enough.
    expect(text).not.toContain('which has no URL')
  })

  it('leads to what was discovered, and says nothing of lines that are there already', () => {
    const found = problem('web.shop.localhost', discovering, 5173)
    expect(found).toMatchObject({ error: 'other_port', links: [{ url: 'https://5173.shop.localhost:8080' }] })
    expect(found).not.toHaveProperty('note')
  })

  it('says nothing of ports that are declared', () =>
    expect(problem('web.shop.localhost', shop)).not.toHaveProperty('undeclared'))
})

describe('the host of a port', () => {
  it('waits where it may come, and is unknown elsewhere', () => {
    expect(problem('5174.shop.localhost', discovering)).toMatchObject({
      detail: 'Nothing listens on port 5174 of shop now.',
      error: 'not_listening',
      hint: 'moat wait shop 5174',
      status: 502,
      waits: 'soon',
    })
    for (const host of ['5174.shop.localhost', 'wbe.shop.localhost'])
      expect(problem(host, shop)).toMatchObject({ error: 'unknown_endpoint', status: 404 })
    for (const host of ['0.shop.localhost', '65536.shop.localhost', '080.shop.localhost'])
      expect(problem(host, discovering)).toMatchObject({ error: 'unknown_endpoint', status: 404 })
  })
})

describe('the dashboard', () => {
  it('names what listens and has no URL, with a name that is free', () => {
    expect(view(shop, 3000, 9229, 5173).agents[0]?.undeclared).toEqual([5173, 9229])
    expect(page(shop, 3000, 9229, 5173)).toContain(
      'Something listens on ports 5173, 9229, which have no URLs: <code>ports: {app: 5173}</code>',
    )
    expect(page({ ...shop, endpoints: [], routes: [] }, 5173)).toContain('<code>ports: {web: 5173}</code>')
  })

  it('says nothing where there is nothing to say', () => {
    for (const [agent, ...ports] of [
      [shop, 3000],
      [discovering, 3000, 5173],
      [{ ...shop, state: 'exited' }, 5173],
    ] as const)
      expect(page(agent as Agent, ...(ports as number[]))).not.toContain('discover: true')
  })

  it('has an endpoint that was discovered like any other, with a link', () => {
    expect(view(discovering, 3000, 5173).agents[0]?.endpoints[1]).toMatchObject({
      discovered: true,
      health: 'answering',
    })
    expect(page(discovering, 3000, 5173)).toContain('<a href="https://5173.shop.localhost:8080/">')
  })
})
