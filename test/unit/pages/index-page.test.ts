import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { changedPieces, indexPage, indexPieces } from '../../../src/pages/index-page.js'
import { wantsHtml } from '../../../src/pages/negotiate.js'
import { type Look, viewIndex } from '../../../src/pages/view.js'
import type { Agent } from '../../../src/routing/agent.js'
import { Counters } from '../../../src/supervisor/counters.js'

const now = Date.parse('2026-11-24T12:00:00Z')

const shop: Agent = {
  containerId: 'c1',
  createdAt: '2026-11-24T11:58:00.000Z',
  endpoints: [
    {
      columns: { User: '<b>ann</b>' },
      links: [
        { title: 'Docs', url: '/docs' },
        { title: 'Bad', url: 'javascript:alert(1)' },
        { title: 'Program', url: 'vscode://file/etc/passwd' },
      ],
      name: 'web',
      port: 3000,
      type: 'http',
    },
    { name: 'db', readiness: { kind: 'tcp', port: 5432 }, type: 'tcp', url: 'postgres://127.0.0.1:49155' },
    { name: 'report', type: 'static' },
  ],
  keep: false,
  name: 'shop',
  published: { 3000: 49_153 },
  routes: [
    { default: true, endpoint: 'web', upstream: { port: 3000, protocol: 'http' } },
    { endpoint: 'db' },
    { endpoint: 'report', files: { browse: false, root: 'out' } },
  ],
  runId: 'run_0123456789ab',
  state: 'running',
  workspace: '/home/ann/"shop"',
}

const address = { domain: 'localhost', port: 8080 }
const view = (agents: Agent[], look?: Look) => {
  const counters = new Counters()
  counters.add(new Map([['shop.localhost', { buckets: [3], errors: 0, requests: 3 }]]), now)
  return viewIndex(agents, {
    address,
    countersOf: (hosts) => counters.of(hosts, now),
    lookOf: () => look,
    networkOf: () => [],
    now,
  })
}
const options = { actions: true, index: 'https://localhost:8080', now }

describe('the index', () => {
  it('knows the health of each kind of endpoint', () => {
    const look = { listeners: [{ loopback: false, port: 5432 }], startedAt: now - 60_000 }
    const health = (agent: Agent, given?: Look) => view([agent], given).agents[0]?.endpoints.map((one) => one.health)
    expect(health(shop, look)).toEqual(['not_listening', 'answering', 'answering'])
    expect(health(shop, { ...look, startedAt: now })).toEqual(['starting', 'answering', 'answering'])
    expect(health(shop)).toEqual(['unknown', 'unknown', 'answering'])
    expect(health({ ...shop, state: 'exited' })).toEqual(['stopped', 'stopped', 'stopped'])
    expect(health({ ...shop, state: 'created' })).toEqual(['starting', 'starting', 'starting'])
  })

  it("counts the bare host's requests for the endpoint that answers there", () => {
    expect(view([shop]).agents[0]?.endpoints.map(({ counters }) => counters.requests)).toEqual([3, 0, 0])
  })

  it('says why moat has paused an agent', () => {
    const { agents, url } = view([{ ...shop, state: 'paused' }])
    const text = indexPage(
      { agents: agents.map((agent) => ({ ...agent, alarm: 'config had alias.<b> in it' })), url },
      options,
    )
    expect(text).toContain('<p class="aside">Paused: config had alias.&lt;b&gt; in it</p>')
  })

  it('shows links and columns of endpoint types, without letting them become HTML or scripts', () => {
    const text = indexPage(view([shop]), options)
    expect(text).toContain('<b>User</b> &lt;b&gt;ann&lt;/b&gt;')
    expect(text).toContain('<a href="https://web.shop.localhost:8080/docs">Docs</a>')
    expect(text).not.toContain('javascript:')
    // What other schemes do is up to the programs of the machine.
    expect(text).not.toContain('vscode:')
    expect(text).toContain('/home/ann/&quot;shop&quot;')
    expect(text).toContain('<code>postgres://127.0.0.1:49155</code>')
    expect(text).not.toMatch(/<style|style=|<script>|\son[a-z]+=/)
  })

  it('shows agents that have ended last, with nothing to stop', () => {
    const ended = { ...shop, name: 'blog', runId: 'run_ffffffffffff', state: 'exited' as const }
    const pieces = indexPieces(view([ended, shop]), options)
    expect(pieces.order).toEqual([shop.runId, ended.runId])
    const summary = pieces.summary.replace(/<[^>]*>/g, '').trim()
    expect(summary).toBe('1 running 1 of 3 answering 1 ended 4/min requests')
    expect(pieces.cards[ended.runId]).not.toContain('data-action="stop"')
    expect(pieces.cards[ended.runId]).toContain('data-action="log"')
  })

  it('says nothing of what there is none of', () => {
    const text = indexPage(view([shop]), options)
    expect(text).not.toMatch(/>0 failed|>0\.0|NaN|Infinity|undefined/)
    const quiet = indexPage(view([{ ...shop, name: 'blog' }]), options)
    expect(quiet).not.toContain('class="plot"')
    expect(quiet).not.toContain('/min')
  })

  it('counts what failed and what was slow', () => {
    const counters = new Counters()
    const buckets = Array(12).fill(0)
    buckets[8] = 4
    counters.add(new Map([['web.shop.localhost', { buckets, errors: 2, requests: 9 }]]), now)
    const sources = {
      address,
      countersOf: (hosts: readonly string[]) => counters.of(hosts, now),
      lookOf: () => undefined,
      networkOf: () => [],
      now,
    }
    for (const only of [{}, { only: 'shop' }]) {
      const text = indexPage(viewIndex([shop], sources), { ...options, ...only })
      expect(text).toMatch(/<b class="failed"[^>]*>2 failed<\/b>/)
      expect(text).toMatch(/<b class="slow"[^>]*>4 slow<\/b>/)
      expect(text).toContain('<path class="failed" d="M')
    }
  })

  it('shows requests that the proxy alone has answered, which have no times', () => {
    const counters = new Counters()
    counters.add(new Map([['web.shop.localhost', { buckets: Array(12).fill(0), errors: 4, requests: 4 }]]), now)
    const sources = {
      address,
      countersOf: (hosts: readonly string[]) => counters.of(hosts, now),
      lookOf: () => undefined,
      networkOf: () => [],
      now,
    }
    const text = indexPage(viewIndex([shop], sources), options)
    expect(text).toMatch(/<b class="failed"[^>]*>4 failed<\/b>/)
    expect(text).not.toMatch(/idle|null| ms/)
    expect(indexPage(viewIndex([shop], sources), { ...options, only: 'shop' })).toContain('4 failed')
  })

  it('has what one may not do nowhere but behind the class that only a key sets', () => {
    const text = indexPage(view([shop]), options)
    const buttons = [...text.matchAll(/<span class="([^"]*)"><button type="button" data-action="(?:log|record|stop)"/g)]
    expect(buttons.map(([, name]) => name)).toEqual(['actions if-may'])
    expect(text.match(/data-action="(?:log|record|stop)"/g)).toHaveLength(3)
    expect(text.match(/id="unlock"/g)).toHaveLength(1)
    expect(indexPage(view([shop]), { ...options, actions: false, only: 'shop' })).not.toMatch(
      /"(?:log|record|stop|unlock)"/,
    )
  })

  it('has a page of one agent, with what concerns it alone', () => {
    const text = indexPage(view([shop]), { ...options, only: 'shop' })
    expect(text).toContain('<h1>shop</h1>')
    expect(text).toContain('run_0123456789ab')
    expect(text).toContain('data-log="run_0123456789ab"')
    expect(text).toContain('moat open --dashboard shop')
  })

  it('sends what has changed, and only that', () => {
    const other = { ...shop, name: 'blog', runId: 'run_ffffffffffff' }
    const before = indexPieces(view([shop, other]), options)
    const after = indexPieces(view([shop, { ...other, state: 'paused' }]), options)
    expect(Object.keys(changedPieces(before, after).cards)).toEqual([other.runId])
    expect(Object.keys(changedPieces(undefined, after).cards)).toHaveLength(2)
    expect(changedPieces(after, after).cards).toEqual({})
  })
})

describe('the page of two hundred agents', () => {
  it('is no burden on the wire', () => {
    const agents = Array.from({ length: 200 }, (_, index) => {
      const id = createHash('sha256').update(`${index}`).digest('hex').slice(0, 12)
      return {
        ...shop,
        containerId: id,
        name: `many-${index}`,
        runId: `run_${id}`,
        workspace: `/home/ann/projects/many-${index}`,
      }
    })
    const page = indexPage(view(agents), options)
    expect(page.match(/<article/g)).toHaveLength(200)
    expect(gzipSync(page).length).toBeLessThan(50_000)
  })
})

describe('wantsHtml', () => {
  it.each([
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['text/html', true],
    ['application/json, text/html;q=0.5', false],
    ['application/json', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
  ])('of %s is %s', (accept, html) => {
    expect(wantsHtml(accept)).toBe(html)
  })
})
