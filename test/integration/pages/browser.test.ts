// The pages in a real Chromium, which trusts the authority through its certificate store. Pictures of them are left in
// test-artefacts/ for a person to look at.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newRunId } from '../../../src/agents/run-id.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { requestKey } from '../../../src/supervisor/control-client.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { artefact, startBrowser, type TestBrowser } from '../../helpers/browser.js'
import { long } from '../../helpers/fuzz.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: TestBrowser
let indexUrl: string
let page: Page
let port: number
let problems: string[]
let sandbox: Sandbox
/** Somewhere else. */
const host = createServer((_, response) => response.end('somewhere else'))

async function visit(url: string): Promise<void> {
  await page.goto(url)
}

async function letIn(): Promise<void> {
  const key = await requestKey(`${sandbox.home}/proxy/control.sock`)
  await visit('about:blank')
  await visit(`${indexUrl}/#key=${key}`)
  await page.locator('body.may-act').waitFor()
}

/** What axe finds wrong. */
async function accessibility(): Promise<string[]> {
  // Through the debugger: the pages' own policy lets no script in.
  const session = await page.context().newCDPSession(page)
  await session.send('Runtime.evaluate', { expression: axe })
  const { result } = await session.send('Runtime.evaluate', {
    awaitPromise: true,
    expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      JSON.stringify(violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | '))))`,
  })
  await session.detach()
  return JSON.parse(String(result.value)) as string[]
}

async function startAgent(
  name: string,
  code: string,
  ports: Record<string, number> = { web: 3000 },
  extra = '',
): Promise<AgentView> {
  const workspace = sandbox.workspace(name, ports, extra)
  sandbox.directory(name, { 'server.js': code })
  return sandbox.json<AgentView>(['run', '-d', workspace])
}

const serves =
  "require('http').createServer((request, response) => { console.log(request.url); response.end('<h1>It works</h1>') })"

beforeAll(async () => {
  sandbox = new Sandbox()
  host.listen(0, '127.0.0.1')
  await once(host, 'listening')
  sandbox.env.MOAT_TEST_HOSTS = `else.test:80=127.0.0.1:${(host.address() as AddressInfo).port}`
  await startAgent('shop', `${serves}.listen(3000); ${serves}.listen(8080)`, { web: 3000, api: 8080 })
  await startAgent('elsewhere', `${serves}.listen(5173)`)
  const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
  indexUrl = status.indexUrl
  port = status.port
  browser = await startBrowser(sandbox, port)
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: indexUrl })
  page = await browser.context.newPage()
  problems = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // An answer that is an error is the subject of these tests; a policy that was broken would be a defect.
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text()))
      problems.push(message.text())
  })
})
afterAll(async () => {
  await browser?.close()
  await sandbox.cleanUp()
  host.close()
})

describe('the dashboard', () => {
  it('shows agents and keeps itself current', async () => {
    await visit(indexUrl)
    await expect.poll(() => page.locator('article').count(), { timeout: 30_000 }).toBe(2)
    expect(await page.locator('#summary').innerText()).toMatch(/^2 running\s+\d of 3 answering/)
    await startAgent('late-comer', `${serves}.listen(3000)`)
    await page.locator('article[data-name=late-comer] .health.answering').waitFor()
    await sandbox.get(`https://web.late-comer.localhost:${port}/`)
    await page.locator('article[data-name=late-comer] .rate b', { hasText: /^[1-6]\/min$/ }).waitFor()
    await sandbox.json(['stop', 'late-comer'])
    await page.locator('article[data-name=late-comer]').waitFor({ state: 'detached' })
    expect(problems).toEqual([])
  })

  it('keeps the focus where it is while it changes', async () => {
    await visit(indexUrl)
    const copy = page.locator('article[data-name=shop] button[data-action=copy]').first()
    await copy.focus()
    await sandbox.get(`https://web.shop.localhost:${port}/`)
    await page.locator('article[data-name=shop] .time b', { hasText: /^[\d.]+ ms$/ }).waitFor()
    expect(await copy.evaluate('document.activeElement.dataset.action')).toBe('copy')
  })

  it('copies a URL, with the keyboard alone', async () => {
    await visit(indexUrl)
    await page.locator('article[data-name=shop] button[data-action=copy]').first().press('Enter')
    await page.locator('#said', { hasText: `Copied https://web.shop.localhost:${port}` }).waitFor({ state: 'attached' })
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(`https://web.shop.localhost:${port}`)
  })

  it('offers nothing that one may not do, and one way to be let in, when it was not opened by moat open --dashboard', async () => {
    await visit(indexUrl)
    await page.locator('#unlock').waitFor()
    expect(await page.locator('article .actions:visible').count()).toBe(0)
    await page.locator('#unlock').click()
    await page.locator('#unlock-dialog .copy').click()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('moat open --dashboard')
    await page.keyboard.press('Escape')
    await page.locator('dialog[open]').waitFor({ state: 'detached' })
    await letIn()
    expect(await page.locator('article .actions:visible').count()).toBeGreaterThan(0)
    await page.locator('#lock').click()
    await page.locator('#unlock').waitFor()
    expect(await page.locator('article .actions:visible').count()).toBe(0)
  })

  it('shows who was let in the log of an agent on its page, and others nothing of it', async () => {
    await sandbox.get(`https://web.shop.localhost:${port}/for-the-log`)
    await visit(`${indexUrl}/agents/shop`)
    await page.locator('#unlock').waitFor()
    expect(await page.locator('#log:visible').count()).toBe(0)
    await letIn()
    await visit(`${indexUrl}/agents/shop`)
    await page.locator('#log pre', { hasText: '/for-the-log' }).waitFor()
    await page.screenshot({ path: artefact('agent-let-in.png') })
    expect(await accessibility()).toEqual([])
  })

  it('lets a key in once, and takes it out of the address', async () => {
    const key = await requestKey(`${sandbox.home}/proxy/control.sock`)
    await visit('about:blank')
    await visit(`${indexUrl}/#key=${key}`)
    await page.locator('body.may-act').waitFor()
    expect(page.url()).toBe(`${indexUrl}/`)
    await page.evaluate('localStorage.clear()')
    await visit('about:blank')
    await visit(`${indexUrl}/#key=${key}`)
    await page.locator('#dialog-text', { hasText: 'was used already' }).waitFor()
    expect(await page.locator('body.may-act').count()).toBe(0)
  })

  it('reads a log, records requests and stops an agent', async () => {
    await startAgent('brief', `${serves}.listen(3000)`)
    await letIn()
    const press = (action: string) => page.locator(`article[data-name=brief] button[data-action=${action}]`).click()
    await page.locator('article[data-name=brief] .health.answering').waitFor()
    await press('record')
    const logs = async () => JSON.stringify((await sandbox.caddyConfig()).logging)
    await until('the recording', async () => (await logs()).includes('moat_requests'))
    await sandbox.get(`https://web.brief.localhost:${port}/cart?id=7`)
    await page
      .locator('#dialog-lines', { hasText: /200 {2}GET {4}web\.brief\.localhost:\d+\/cart\?id=7 {2}[\d.]+ ms/ })
      .waitFor()
    await page.screenshot({ path: artefact('dashboard-recording.png') })
    await page.locator('#dialog-close').click()
    await until('the end of the recording', async () => !(await logs()).includes('moat_requests'))
    await press('log')
    await page.locator('#dialog-lines', { hasText: '/cart?id=7' }).waitFor()
    await page.locator('#dialog-close').click()
    await press('stop')
    await page.locator('#dialog-yes').click()
    await page.locator('article[data-name=brief]').waitFor({ state: 'detached', timeout: 20_000 })
    expect(problems).toEqual([])
  })

  it('shows what an agent was refused, and allows it to who was let in, with the keyboard alone', async () => {
    const asks = `const { hostname, port } = new URL(process.env.HTTP_PROXY)
      const to = { headers: { host: 'else.test' }, host: hostname, path: 'http://else.test/', port }
      require('http').createServer((_, answer) => require('http').get(to, (response) => response.pipe(answer))).listen(3000)`
    const { endpoints } = await startAgent('walled', asks, { web: 3000 }, 'network: {policy: strict}\n')
    const ask = async () => (await sandbox.get(endpoints[0]?.url ?? '')).body
    expect(await ask()).toContain('"error":"network_policy"')
    const panel = page.locator('article[data-name=walled] details.network')
    const allow = panel.locator('button[data-action=allow]')
    await visit(indexUrl)
    await page.evaluate('localStorage.clear()')
    await page.reload()
    await page.locator('#unlock').waitFor()
    await panel.locator('summary', { hasText: 'Network: strict, 1 host, 1 refused' }).press('Enter')
    await panel.locator('.refused').waitFor()
    expect(await panel.locator('button:visible').count()).toBe(0)
    await letIn()
    await panel.locator('summary').press('Enter')
    expect(await allow.getAttribute('aria-label')).toBe('Allow else.test for walled')
    expect(await accessibility()).toEqual([])
    await allow.press('Enter')
    await page.locator('#dialog-title', { hasText: 'Allow else.test for walled?' }).waitFor()
    expect(await accessibility()).toEqual([])
    await page.screenshot({ path: artefact('dashboard-allow.png') })
    await page.locator('#dialog-yes').press('Enter')
    await page.locator('#said', { hasText: 'Allowed else.test for walled' }).waitFor({ state: 'attached' })
    expect(await ask()).toBe('somewhere else')
    await panel.locator('li', { hasText: /^\s*allowed\s+else\.test\s+1 allowed, 1 refused/ }).waitFor()
    await sandbox.json(['stop', 'walled'])
    expect(problems).toEqual([])
  })

  it('says when the supervisor is lost, and goes on with the next one', async () => {
    await visit(indexUrl)
    const { supervisor } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    process.kill(supervisor?.pid ?? 0, 'SIGKILL')
    await page.locator('#connection', { hasText: 'The connection to the supervisor is lost.' }).waitFor()
    await page.screenshot({ path: artefact('dashboard-lost.png') })
    await sandbox.json(['proxy', 'status'])
    await page.locator('#connection', { hasText: /^$/ }).waitFor({ state: 'attached', timeout: 15_000 })
  })
})

describe('a page of another site', () => {
  it('of an agent, can neither read the dashboard nor act on it', async () => {
    await letIn()
    const { runId } = (await sandbox.json<{ agents: AgentView[] }>(['list'])).agents[0] ?? { runId: '' }
    await visit(`https://web.shop.localhost:${port}/`)
    // In the page of the agent, as its own script would.
    const outcome = await page.evaluate(`(async () => {
      const attempt = (promise) => promise.then(({ status, type }) => type + ' ' + status, ({ name }) => name)
      const frame = document.createElement('iframe')
      frame.src = '${indexUrl}'
      document.body.append(frame)
      await new Promise((resolve) => frame.addEventListener('load', resolve))
      return {
        act: await attempt(fetch('${indexUrl}/_moat/agents/${runId}/stop', { method: 'POST', mode: 'no-cors' })),
        framed: frame.contentDocument?.querySelector('article') ?? null,
        read: await attempt(fetch('${indexUrl}', { headers: { Accept: 'application/json' } })),
        token: await attempt(fetch('${indexUrl}/_moat/token', { headers: { 'X-Moat-Token': 'x' }, method: 'POST' })),
      }
    })()`)
    expect(outcome).toEqual({ act: 'TypeError', framed: null, read: 'TypeError', token: 'TypeError' })
    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents.map((agent) => agent.runId)).toContain(runId)
    problems = []
  })
})

describe('the page of a problem', () => {
  const says = "console.log('\\u001b[31mcannot find module shop-config\\u001b[0m'); setInterval(() => {}, 1000)"
  const lines = () => page.frameLocator('iframe').locator('#lines')

  it('is reached without a warning when an endpoint is typed wrong, and leads to the right one', async () => {
    await visit(`https://wbe.shop.localhost:${port}/cart`)
    await page.locator('h1', { hasText: 'shop has no endpoint wbe' }).waitFor()
    await page.locator('.fixes a', { hasText: `https://web.shop.localhost:${port}` }).click()
    await page.locator('h1', { hasText: 'It works' }).waitFor()
    expect(problems).toEqual([])
  })

  it('has the last lines of the log, which stay current, for the user whose agent it is', async () => {
    await startAgent('broken', says)
    await visit(`https://web.broken.localhost:${port}/`)
    await lines().filter({ hasText: 'cannot find module shop-config' }).waitFor()
    expect(await lines().textContent()).not.toContain('\u001b')
    await sandbox.inside('broken', 'sh', '-c', 'echo more of it > /proc/1/fd/1')
    await lines().filter({ hasText: 'more of it' }).waitFor()
    expect(problems).toEqual([])
  })

  it('shows them to no other page, in a frame or otherwise', async () => {
    await visit(`https://web.broken.localhost:${port}/`)
    const source = await page.locator('iframe').getAttribute('src')
    await visit(`https://web.shop.localhost:${port}/`)
    const outcome = await page.evaluate(`(async () => {
      const frame = document.createElement('iframe')
      frame.src = '${source}'
      document.body.append(frame)
      await new Promise((resolve) => frame.addEventListener('load', resolve))
      return fetch('${source}').then(({ status }) => status, ({ name }) => name)
    })()`)
    expect(outcome).toBe('TypeError')
    const frame = page.frames().find((one) => one !== page.mainFrame())
    expect(await frame?.locator('#lines').count()).toBe(0)
    // What is typed into a browser, or asked by a program, is no frame of the page of a problem.
    expect((await page.goto(source ?? ''))?.status()).toBe(403)
    expect((await sandbox.get(source ?? '')).status).toBe(403)
    problems = []
  })

  it('says that nothing is waited for any more once the proxy is gone', async () => {
    await visit(`https://web.broken.localhost:${port}/`)
    await page.locator('#waiting', { hasText: 'Waiting.' }).waitFor()
    await page.locator('#elapsed', { hasText: /^\d+ s$/ }).waitFor()
    // Whatever asks next starts another supervisor.
    await page.route('**/_moat/**', (route) => route.abort())
    const { supervisor } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    process.kill(supervisor?.pid ?? 0, 'SIGKILL')
    await page.locator('#waiting.gone', { hasText: 'nothing is waited for' }).waitFor()
    await page.locator('#revive', { hasText: 'moat proxy start' }).waitFor()
    expect(await page.locator('.fixes:visible').count()).toBe(1)
    await page.screenshot({ path: artefact('proxy-gone.png') })
    await page.unroute('**/_moat/**')
    await sandbox.json(['proxy', 'status'])
    await page.locator('#waiting', { hasText: 'Waiting.' }).waitFor()
    problems = []
  })
})

describe('a page that waits', () => {
  it('shows the agent soon after its first listen', async () => {
    // However long the browser takes, it is there before the server is.
    const listens = `const fs = require('fs')
      const server = require('http').createServer((_, response) => response.end('<h1>It works</h1>'))
      const waiting = setInterval(() => {
        if (!fs.existsSync('/workspace/go')) return
        clearInterval(waiting)
        server.listen(3000, () => fs.writeFileSync('/workspace/listening', String(Date.now())))
      }, 20)`
    await startAgent('slow', listens)
    await visit(`https://web.slow.localhost:${port}/`)
    await page.locator('h1', { hasText: 'slow is starting' }).waitFor()
    await page.screenshot({ path: artefact('starting.png') })
    sandbox.directory('slow', { go: '' })
    await page.locator('h1', { hasText: 'It works' }).waitFor()
    const shown = Date.now()
    const listening = Number(readFileSync(`${sandbox.directory('slow')}/listening`, 'utf8'))
    process.stdout.write(`shown ${shown - listening} ms after the first listen\n`)
    // A quiet machine takes less than one.
    expect(shown - listening).toBeLessThan(5_000)
  })
})

describe('looks', () => {
  const sizes = { desktop: { height: 800, width: 1280 }, phone: { height: 844, width: 390 } }
  const pages = () => ({
    agent: `https://shop.localhost:${port}/`,
    dashboard: indexUrl,
    problem: `https://web.elsewhere.localhost:${port}/`,
    'typed wrong': `https://wbe.shop.localhost:${port}/`,
  })

  it('are accessible, fit the window, and stay below 50 kB, dark and light, at a desk and on a phone', async () => {
    await letIn()
    for (const [name, url] of Object.entries(pages())) {
      for (const [size, viewport] of Object.entries(sizes)) {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.setViewportSize(viewport)
          await page.emulateMedia({ colorScheme })
          await visit(url)
          await page.locator('h1').waitFor()
          await page.screenshot({ path: artefact(`${name}-${size}-${colorScheme}.png`) })
          expect(await accessibility(), `${name} ${size} ${colorScheme}`).toEqual([])
          const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
          expect(wide, `${name} ${size}`).toBe(false)
        }
      }
    }
    expect(problems).toEqual([])
  })

  it('ask nobody else for anything, and for little', async () => {
    const hosts = new Set<string>()
    page.on('request', (request) => hosts.add(new URL(request.url()).host))
    await visit(indexUrl)
    await page.locator('article').first().waitFor()
    // As the page itself has it: what a driver asks a browser for afterwards may be gone by then.
    const loaded = () =>
      page.evaluate<number[]>(`['navigation', 'resource']
        .flatMap((type) => performance.getEntriesByType(type))
        .filter(({ name }) => !name.includes('/_moat/events'))
        .map(({ decodedBodySize }) => decodedBodySize)`)
    const sizes = await until('page, style and script', async () => {
      const all = await loaded()
      return all.filter((size) => size > 1_000).length >= 3 && all
    })
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    expect([...hosts]).toEqual([`localhost:${port}`])
    expect(bytes).toBeLessThan(50_000)
  })
})

describe('many agents', () => {
  // What the page of two hundred weighs: test/unit/pages/index-page.test.ts.
  const many = long ? 200 : 60

  /** Containers that were made and not started: agents like others, at a fraction of the cost. */
  async function createAgents(): Promise<void> {
    const engine = await connectEngine({ moatHome: sandbox.home })
    const place = { mounts: [], ports: [], user: { gid: 0, uid: 0 }, workdir: '/' }
    const spec = { command: ['true'], env: {}, image: 'node:22-slim', ...place }
    const names = Array.from({ length: many }, (_, index) => `many-${index}`)
    const work = async () => {
      for (let name = names.shift(); name; name = names.shift()) {
        const labels = toLabels({
          endpoints: [
            { name: 'web', port: 3000, type: 'http' },
            { name: 'api', port: 8080, type: 'http' },
          ],
          home: sandbox.home,
          keep: false,
          name,
          routes: [
            { endpoint: 'web', upstream: { port: 3000, protocol: 'http' } },
            { endpoint: 'api', upstream: { port: 8080, protocol: 'http' } },
          ],
          runId: newRunId(),
          workspace: `/home/ann/projects/${name}`,
        })
        await engine.create({ ...spec, labels, name: containerName(name, sandbox.home) })
      }
    }
    await Promise.all(Array.from({ length: 4 }, work))
  }

  it('are shown, kept current, found by a filter, and no burden on the wire', async () => {
    await createAgents()
    await page.setViewportSize({ height: 800, width: 1280 })
    await letIn()
    await until('all of them', async () => (await page.locator('article').count()) >= many + 2, 30_000)
    const response = await page.reload()
    expect(Number(await response?.headerValue('content-length'))).toBeLessThan(50_000)
    await page.screenshot({ path: artefact('dashboard-many-agents.png') })
    const start = Date.now()
    const { runId } = await startAgent('needle', `${serves}.listen(3000)`)
    const started = Date.now()
    await page.locator(`#${runId}`).waitFor({ state: 'attached', timeout: 30_000 })
    process.stdout.write(
      `an agent more among ${many}: started in ${started - start} ms, shown ${Date.now() - started} ms later\n`,
    )
    await page.locator('#filter').fill('needle')
    await until('the others to be hidden', async () => (await page.locator('article:visible').count()) === 1)
    await page.locator(`#${runId} .health.answering`).waitFor()
    await page.locator('#filter').fill('')
    expect(await accessibility()).toEqual([])
    await page.setViewportSize({ height: 844, width: 390 })
    await page.screenshot({ path: artefact('dashboard-many-agents-phone.png') })
    expect(problems).toEqual([])
  })
})
