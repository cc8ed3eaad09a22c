// What a person at a terminal sees of agents beyond the list: open, a live status, requests.
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IndexView } from '../../../src/pages/view.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let indexUrl: string
let port: number
let sandbox: Sandbox
let shop: AgentView

beforeAll(async () => {
  sandbox = new Sandbox()
  shop = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('shop', { web: 3000, api: 8080 })])
  const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
  port = status.port
  indexUrl = status.indexUrl
})
afterAll(() => sandbox.cleanUp())

describe('the index URL', () => {
  it('is named by run, list, status and proxy status, on stderr and as JSON', async () => {
    expect(indexUrl).toBe(`https://localhost:${port}`)
    const blog = sandbox.workspace('blog')
    const run = await sandbox.moat(['run', '-d', blog])
    const others = await Promise.all([['list'], ['status'], ['proxy', 'status']].map((args) => sandbox.moat(args)))
    for (const { stderr, stdout } of [run, ...others]) {
      expect(stderr).toContain(`All agents: ${indexUrl}\n`)
      expect(stdout).not.toContain(`${indexUrl}\n`)
    }
    for (const args of [['list'], ['status']]) expect(await sandbox.json(args)).toMatchObject({ indexUrl })
  })
})

describe('moat open', () => {
  const print = async (args: string[], options: { cwd?: string } = {}) =>
    (await sandbox.moat(['open', ...args, '--print'], options)).stdout

  it('prints the URL that moat run printed, and starts no browser without a terminal', async () => {
    expect(await print(['shop', 'api'])).toBe(`${shop.endpoints[1]?.url}\n`)
    const outcome = await sandbox.moat(['open', 'shop', 'web'])
    expect(outcome).toEqual({
      code: 0,
      stderr: 'No browser was started: there is no terminal.\n',
      stdout: `${shop.endpoints[0]?.url}\n`,
    })
    expect(await sandbox.json(['open', 'shop', 'web'])).toEqual({
      agent: 'shop',
      endpoint: 'web',
      opened: false,
      url: shop.endpoints[0]?.url,
    })
  })

  it('goes to the page of an agent with several endpoints, or of all when none is named', async () => {
    expect(await print(['shop'])).toBe(`https://shop.localhost:${port}\n`)
    expect(await print(['blog'])).toBe(`https://web.blog.localhost:${port}\n`)
    expect(await print([])).toBe(`${indexUrl}\n`)
    expect(await print([], { cwd: sandbox.directory('blog') })).toBe(`https://web.blog.localhost:${port}\n`)
    expect(await print(['--dashboard'])).toBe(`${indexUrl}\n`)
    expect(await print(['--dashboard', 'shop'])).toBe(`${indexUrl}/agents/shop\n`)
  })

  it('says which endpoints and agents there are', async () => {
    const endpoint = await sandbox.moat(['open', 'shop', 'wbe'])
    expect([endpoint.code, endpoint.stderr]).toEqual([
      2,
      'Error: shop has no endpoint wbe. Did you mean web?\n\nTry this:\n  moat open shop web\n  moat open shop api\n',
    ])
    const agent = await sandbox.moat(['open', 'shpo'])
    expect([agent.code, agent.stderr]).toEqual([
      1,
      'Error: There is no agent with the name or run id shpo. Did you mean shop?\n\nTry this:\n  moat open shop\n  moat list\n',
    ])
  })
})

describe('moat proxy status --watch', () => {
  it('streams one object a line, which changes with what happens', async () => {
    const moat = sandbox.start(['proxy', 'status', '--watch', '--json'])
    const views = () =>
      moat.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as IndexView)
    await until('a first view', () => views().length > 0)
    const { url = '' } = shop.endpoints[0] ?? {}
    await sandbox.get(url)
    await until('the request', () => {
      const agent = views()
        .at(-1)
        ?.agents.find(({ name }) => name === 'shop')
      return (agent?.endpoints[0]?.counters.requests ?? 0) > 0
    })
    moat.process.kill('SIGINT')
    expect(await moat.exited).toMatchObject({ code: 0, stderr: '' })
  })

  it('draws on a terminal and gives it back as it was', async () => {
    const command = [process.execPath, 'bin/run.js', 'proxy', 'status', '--watch'].join(' ')
    const typescript = new Sandbox(['script', '-qec', `stty rows 8 cols 60; ${command}`, '/dev/null'])
    typescript.env.MOAT_HOME = sandbox.home
    const moat = typescript.start([], { cwd: process.cwd(), keepStdin: true })
    await moat.prints('q or Ctrl+C quits.')
    moat.process.stdin?.write('q')
    expect((await moat.exited).code).toBe(0)
    const screen = moat.stdout
    expect(screen.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true)
    expect(screen.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
    const frames = screen.split('\u001b[H').slice(1)
    const lines = frames.flatMap((frame) => stripVTControlCharacters(frame).split('\r\n'))
    expect(Math.max(...lines.map((line) => line.length))).toBe(60)
    expect(Math.max(...frames.map((frame) => frame.split('\r\n').length))).toBeLessThanOrEqual(8)
    expect(screen).toContain('shop   web')
    await typescript.cleanUp()
  })

  it('needs a terminal, or --json', async () => {
    expect(await sandbox.moat(['proxy', 'status', '--watch'])).toEqual({
      code: 2,
      stderr:
        'Error: --watch needs a terminal, and there is none.\n\nTry this:\n  moat proxy status --watch --json\n  moat proxy status\n',
      stdout: '',
    })
  })
})

describe('moat logs --requests', () => {
  const logging = async () =>
    JSON.parse(JSON.stringify(await sandbox.caddyConfig())).logging.logs as Record<string, unknown>

  it("shows an agent's requests while it is watched, without headers, and only then", async () => {
    const before = Object.keys(await logging())
    expect(before).not.toContain('requests')
    const moat = sandbox.start(['logs', '--requests', 'shop'])
    await moat.prints('Recording the requests to shop. Ctrl+C stops.')
    const { url = '' } = shop.endpoints[0] ?? {}
    await sandbox.get(`https://web.blog.localhost:${port}/other`)
    await sandbox.get(`${url}/cart?id=1`, { headers: { Cookie: 'secret=1' } })
    await moat.prints('/cart?id=1')
    expect(moat.stdout).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z  200  GET     ${url}/cart\\?id=1  [\\d.]+ ms\n$`),
    )
    moat.process.kill('SIGINT')
    expect((await moat.exited).code).toBe(0)
    await until('the end of the recording', async () => !('requests' in (await logging())))
    expect(Object.keys(await logging())).toEqual(before)
    expect(sandbox.log('caddy')).not.toContain('/cart')
  })

  it('ends with its agent', async () => {
    const moat = sandbox.start(['logs', '--requests', 'blog'])
    await moat.prints('Recording the requests to blog.')
    await sandbox.json(['stop', 'blog'])
    expect((await moat.exited).code).toBe(0)
  })

  it('says so when there is no proxy', async () => {
    await sandbox.moat(['proxy', 'stop'])
    const outcome = await sandbox.moat(['logs', '--requests', 'shop'])
    expect([outcome.code, outcome.stderr]).toEqual([
      1,
      'Error: The routing proxy is not running, so no requests go through it.\n\nTry this:\n  moat proxy start\n',
    ])
    const watch = await sandbox.moat(['proxy', 'status', '--watch', '--json'])
    expect(JSON.parse(watch.stdout)).toMatchObject({ error: { message: 'The routing proxy is not running.' } })
    const open = await sandbox.moat(['open', 'shop', 'web'])
    expect([open.code, open.stderr]).toEqual([
      0,
      'The routing proxy is not running, so nothing answers there. Start it with: moat proxy start\n',
    ])
  })
})
