// Untouched Next.js projects: one of the versions that take hosts with two labels, and one of those that refuse them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { startBrowser, type TestBrowser } from '../../helpers/browser.js'
import { changeHot, follows, type Sockets, watchSockets } from '../../helpers/hot-reload.js'
import { generate, install } from '../../helpers/npm-project.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

type Run = AgentView & { notes?: string[] }

/** What it knows of its own address is that it listens on localhost. */
const redirecting = `import { NextResponse } from 'next/server'
export function GET(request: Request) {
  return NextResponse.redirect(new URL('/there', request.url))
}
`

let browser: TestBrowser
let port: number
let sandbox: Sandbox

interface Project {
  directory: string
  page: string
}

let blog: Project
let site: Project

/** Makes a project with create-next-app of that version. */
async function createNext(name: string, version: string): Promise<Project> {
  // Empty: the other template fetches fonts from a third party, and a page waits long for them where that is not reached.
  const choices = ['--empty', '--ts', '--app', '--no-tailwind', '--no-eslint', '--no-src-dir', '--use-npm', '--yes']
  const only = ['--skip-install', '--disable-git']
  await generate(sandbox.directory('.'), `create-next-app@${version}`, ['create-next-app', name, ...choices, ...only])
  const directory = sandbox.directory(name)
  await install(directory)
  const yaml = `name: ${name}\ndependencies: [node@22]\nports: {web: 3000}\ncommand: [npm, run, dev]\n`
  writeFileSync(join(directory, 'moat.yaml'), yaml)
  mkdirSync(join(directory, 'app/go'))
  writeFileSync(join(directory, 'app/go/route.ts'), redirecting)
  return { directory, page: join(directory, 'app/page.tsx') }
}

/** Runs it as a new user does. */
const start = ({ directory }: Project) => sandbox.json<Run>(['run', '-d', directory])

async function openPage(host: string): Promise<{ page: Page; sockets: Sockets }> {
  const page = await browser.context.newPage()
  const sockets = await watchSockets(page)
  await page.goto(`https://${host}:${port}/`, { timeout: 90_000 })
  return { page, sockets }
}

async function expectHot(host: string, file: string, from: string, to: string): Promise<void> {
  const { page, sockets } = await openPage(host)
  await page.getByText(from).first().waitFor({ timeout: 60_000 })
  await follows(sockets, 'client-success')
  await changeHot(page, { file, from, to })
  expect(sockets.statuses, host).toEqual([200])
  await page.close()
}

beforeAll(async () => {
  sandbox = new Sandbox()
  // One proxy, and so one port, for both projects.
  await sandbox.json(['proxy', 'start', '--detach'])
  port = (await sandbox.json<ProxyStatus>(['proxy', 'status'])).port
  browser = await startBrowser(sandbox, port)
  const projects = [createNext('blog', '16.4.3'), createNext('site', '16.2.12')] as const
  // Both, even if one fails: nothing may still be written when the directory goes.
  await Promise.allSettled(projects)
  ;[blog, site] = await Promise.all(projects)
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await sandbox.cleanUp()
}, 120_000)

describe('Next.js', () => {
  it('works at both hosts with no setting, hot reload included', { timeout: 180_000 }, async () => {
    expect((await start(blog)).notes).toBeUndefined()
    await expectHot('web.blog.localhost', blog.page, 'Hello world!', 'Changed once')
    await expectHot('blog.localhost', blog.page, 'Changed once', 'Changed twice')
    for (const host of ['web.blog.localhost', 'blog.localhost']) {
      const { headers } = await sandbox.get(`https://${host}:${port}/go`)
      expect(headers.location).toBe(`https://${host}:${port}/there`)
    }
    await sandbox.json(['stop', 'blog'])
  })

  it('that refuses two labels works at the host of the agent, and moat says what it needs for the other', {
    timeout: 180_000,
  }, async () => {
    const line = "allowedDevOrigins: ['*.site.localhost']"
    expect((await start(site)).notes).toEqual([
      `Next.js 16.2.12 takes https://site.localhost:${port} as it is; for https://web.site.localhost:${port} add to next.config.ts: ${line}`,
    ])
    await expectHot('site.localhost', site.page, 'Hello world!', 'Changed once')
    const refused = await openPage('web.site.localhost')
    await until('Next.js to refuse its own WebSocket', () => refused.sockets.errors.length > 0, 20_000)
    expect(refused.sockets.statuses).toEqual([])
    await refused.page.close()
    expect((await sandbox.moat(['logs', 'site'])).stderr).toContain('Blocked cross-origin request')
    const index = await sandbox.get(`https://localhost:${port}/`, { headers: { Accept: 'text/html' } })
    expect(index.body).toContain(
      '<b>Next.js 16.2.12</b> needs allowedDevOrigins: [&#39;*.site.localhost&#39;] in next.config.ts',
    )
    // The line, as it was printed.
    const config = join(site.directory, 'next.config.ts')
    expect(existsSync(config)).toBe(true)
    writeFileSync(config, readFileSync(config, 'utf8').replace('/* config options here */', `${line},`))
    await sandbox.json(['stop', 'site'])
    expect((await start(site)).notes).toBeUndefined()
    await expectHot('web.site.localhost', site.page, 'Changed once', 'Changed twice')
  })
})
