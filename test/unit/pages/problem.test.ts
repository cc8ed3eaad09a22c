// The words in which the proxy says that nobody answers.
import { describe, expect, it } from 'vitest'
import { shellQuote } from '../../../src/config/shell-quote.js'
import { explainHost, partsOf } from '../../../src/pages/explain-host.js'
import { type ProblemPageOptions, problemJson, problemPage } from '../../../src/pages/problem-page.js'
import type { Agent } from '../../../src/routing/agent.js'
import type { Listener } from '../../../src/routing/listening.js'

const now = Date.parse('2026-11-24T12:00:00Z')

const agentNamed = (name: string, change: Partial<Agent> = {}): Agent => ({
  containerId: `c-${name}`,
  createdAt: '2026-11-24T11:00:00.000Z',
  endpoints: [
    { name: 'web', port: 3000, type: 'http' },
    { name: 'api', port: 8080, type: 'http' },
  ],
  keep: false,
  name,
  published: { 3000: 49_153, 8080: 49_154 },
  routes: [
    { endpoint: 'web', upstream: { port: 3000, protocol: 'http' } },
    { endpoint: 'api', upstream: { port: 8080, protocol: 'http' } },
  ],
  runId: 'run_0123456789ab',
  state: 'running',
  workspace: '/home/ann/shop',
  ...change,
})

const explain = (
  host: string,
  {
    agents = [agentNamed('shop'), agentNamed('blog')],
    asked = true,
    listeners = [] as Listener[],
    age = 3_600_000,
    address = { domain: 'localhost', port: 8080 },
  } = {},
) => explainHost(host, { address, agents, asked, look: { listeners, startedAt: now - age }, now, quote: shellQuote })

describe('a host below a domain of the user', () => {
  const address = { domain: 'dev.moat.test', port: 443 }

  it('stands for the same as one below localhost', () => {
    expect(partsOf('web.shop.dev.moat.test', address.domain)).toEqual({ agent: 'shop', endpoint: 'web' })
    expect(partsOf('Shop.Dev.Moat.Test', address.domain)).toEqual({ agent: 'shop' })
    expect(explain('web.shp.dev.moat.test', { address })).toMatchObject({
      detail: 'There is no agent shp. Did you mean shop?',
      links: [{ url: 'https://shop.dev.moat.test' }, { url: 'https://blog.dev.moat.test' }],
    })
  })
})

describe('a host at which nobody answers', () => {
  it('of an agent that is not there', () => {
    expect(explain('web.shp.localhost')).toMatchObject({
      agents: ['shop', 'blog'],
      detail: 'There is no agent shp. Did you mean shop?',
      error: 'unknown_agent',
      hint: 'moat list',
      links: [
        { title: 'shop', url: 'https://shop.localhost:8080' },
        { title: 'blog', url: 'https://blog.localhost:8080' },
      ],
      nearest: 'shop',
      status: 404,
    })
    expect(explain('nobody.localhost', { agents: [] })).toMatchObject({
      detail: 'There is no agent nobody. No agent runs.',
      hint: 'moat run <directory>',
    })
  })

  it('of an endpoint that is not there', () => {
    expect(explain('wbe.shop.localhost')).toMatchObject({
      detail: 'shop has no endpoint wbe. Did you mean web?',
      endpoints: ['web', 'api'],
      error: 'unknown_endpoint',
      links: [
        { title: 'web', url: 'https://web.shop.localhost:8080' },
        { title: 'api', url: 'https://api.shop.localhost:8080' },
      ],
      status: 404,
    })
  })

  it('of an agent that has ended, but not when one of its name runs', () => {
    const ended = agentNamed('shop', { runId: 'run_ffffffffffff', state: 'exited' })
    expect(explain('web.shop.localhost', { agents: [ended] })).toMatchObject({
      detail: 'The agent shop has ended. Its workspace is /home/ann/shop.',
      error: 'agent_stopped',
      hint: 'moat logs run_ffffffffffff',
      status: 404,
    })
    expect(explain('web.shop.localhost', { agents: [ended, agentNamed('shop')] }).error).toBe('not_listening')
  })

  it.each([
    [
      'nothing listens, just started',
      { age: 5_000 },
      'starting',
      503,
      'The agent shop is starting: nothing listens on port 3000 yet.',
      'moat wait shop web',
    ],
    [
      'nothing listens',
      {},
      'not_listening',
      502,
      'Nothing listens on port 3000 in the container.',
      'Start a server on port 3000, or correct `ports` in moat.yaml.',
    ],
    [
      'another port',
      { age: 5_000, listeners: [{ loopback: false, port: 5173 }] },
      'other_port',
      502,
      'Nothing listens on port 3000; something listens on 5173.',
      'If that is it, set `web: 5173` under `ports` in moat.yaml, or have the server listen on 3000.',
    ],
    [
      'loopback only',
      { age: 5_000, listeners: [{ loopback: true, port: 3000 }] },
      'loopback_only',
      502,
      'The server on port 3000 listens on 127.0.0.1 or ::1 only, which nobody outside its container reaches.',
      'Have it listen on all addresses: HOST=0.0.0.0, or --host 0.0.0.0.',
    ],
    [
      'it listens and gives no answer',
      { listeners: [{ loopback: false, port: 3000 }] },
      'bad_gateway',
      502,
      'Something listens on port 3000 in the container, but the proxy got no proper answer from it.',
      'Is its protocol the one in moat.yaml (http, https or h2c)? moat logs shop',
    ],
  ])('though its agent runs: %s', (_, given, error, status, detail, hint) => {
    expect(explain('web.shop.localhost', given)).toMatchObject({ detail, endpoint: 'web', error, hint, status })
  })
})

describe('the answer', () => {
  it('as JSON has names for programs and nothing about the page', () => {
    expect(problemJson(explain('web.shop.localhost'))).toEqual({
      agent: 'shop',
      detail: 'Nothing listens on port 3000 in the container.',
      endpoint: 'web',
      error: 'not_listening',
      hint: 'Start a server on port 3000, or correct `ports` in moat.yaml.',
    })
  })

  const page = (host: string, given: Parameters<typeof explain>[1] = {}, options: Partial<ProblemPageOptions> = {}) =>
    problemPage(explain(host, given), { index: 'https://localhost:8080', url: `https://${host}:8080/`, ...options })

  it('as a page never lets a host or a path become HTML', () => {
    const odd = '<img src=x>.localhost'
    const text = page(
      odd,
      { agents: [agentNamed('shop', { workspace: '"><script>' })] },
      { url: `https://${odd}/"<b>` },
    )
    expect(text).not.toMatch(/<img|<b>"|<script>/)
    expect(text).toContain('There is no agent &lt;img src=x&gt;')
    expect(text).toContain('<mark>&lt;img src=x&gt;</mark>')
    const ended = agentNamed('shop', { state: 'exited', workspace: '/tmp/a b"><script>\'; rm -rf /' })
    const stopped = page('web.shop.localhost', { agents: [ended] })
    expect(stopped).not.toContain('<script>')
    // What is copied is one word of the shell.
    expect(stopped).toContain(
      'moat run --name shop &#39;/tmp/a b&quot;&gt;&lt;script&gt;&#39;\\&#39;&#39;; rm -rf /&#39;',
    )
  })

  it('as a page says each thing once: the URL, what is wrong, what to do, with a line to copy', () => {
    const text = page('wbe.shop.localhost', {}, { url: 'https://wbe.shop.localhost:8080/cart?id=7' })
    expect(text).toContain('<mark>wbe</mark>.shop.localhost:8080/cart?id=7')
    expect(text).toContain('<h1>shop has no endpoint wbe</h1>')
    expect(text).toContain('Did you mean <code>web</code>?')
    expect(text).toContain('data-text="https://web.shop.localhost:8080"')
    expect(text.match(/no endpoint wbe/g)).toHaveLength(3) // The title of the window, the heading, and what the page asks about.
    const loopback = page('web.shop.localhost', { listeners: [{ loopback: true, port: 3000 }] })
    expect(loopback).not.toMatch(/does not listen|[Nn]othing listens/)
    const elsewhere = page('web.shop.localhost', { listeners: [{ loopback: false, port: 5173 }] })
    expect(elsewhere).toContain('<h1>shop listens on port 5173, not on 3000</h1>')
    expect(elsewhere).toContain('data-text="web: 5173"')
    expect(elsewhere).not.toContain('which has no URL')
  })

  it('as a page says what a server speaks instead, with the line that makes it right', () => {
    const look = {
      greetings: { web: { kind: 'tls' as const } },
      listeners: [{ loopback: false, port: 3000 }],
      startedAt: 0,
    }
    const sources = {
      agents: [agentNamed('shop')],
      address: { domain: 'localhost', port: 8080 },
      asked: true,
      look,
      now,
    }
    const problem = explainHost('web.shop.localhost', { ...sources, quote: String })
    expect(problem).toMatchObject({ error: 'bad_gateway', status: 502, waits: 'soon' })
    const text = problemPage(problem, { index: 'https://localhost:8080', url: 'https://web.shop.localhost:8080' })
    expect(text).toContain('<h1>The server on port 3000 speaks HTTPS, not plain HTTP as moat.yaml has it</h1>')
    expect(text).toContain('data-text="web: {port: 3000, protocol: https}"')
  })

  it('as a page waits where something may come, and offers to try again where it may not', () => {
    expect(page('web.shop.localhost', { age: 5_000 })).toMatch(/role="status"><span>Waiting\. .*<span id="elapsed"/)
    const silent = page('web.shop.localhost', { listeners: [{ loopback: false, port: 3000 }] })
    expect(silent).toContain('<a href="">Try again</a>')
    expect(silent).not.toContain('Waiting')
  })

  it('as a page has lines of a log in a frame only for who may see them', () => {
    expect(page('web.shop.localhost')).not.toContain('<iframe')
    const text = page('web.shop.localhost', {}, { lines: 'https://localhost:8080/_moat/lines/run_0123456789ab' })
    expect(text).toContain('<iframe src="https://localhost:8080/_moat/lines/run_0123456789ab"')
  })

  it('as a page names a dozen of many agents, and where the others are', () => {
    const agents = Array.from({ length: 200 }, (_, index) => agentNamed(`a${index}`))
    const text = page('web.nobody.localhost', { agents })
    expect(text.match(/<li>/g)).toHaveLength(13)
    expect(text).toContain('<b>188 more</b>')
  })
})
