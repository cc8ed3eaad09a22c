// An untouched Vite project: its server listens on localhost only, and hot reload comes by a WebSocket over HTTP/2.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { startBrowser, type TestBrowser } from '../../helpers/browser.js'
import { changeHot, follows, watchSockets } from '../../helpers/hot-reload.js'
import { generate, install } from '../../helpers/npm-project.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let browser: TestBrowser
let port: number
let project: string
let sandbox: Sandbox
let started: { code: number; stderr: string; stdout: string }

beforeAll(async () => {
  sandbox = new Sandbox()
  await generate(sandbox.directory('.'), 'create-vite@9.3.0', ['create-vite', 'shop', '--template', 'react-ts'])
  project = sandbox.directory('shop')
  await install(project, ['vite@8.4.0'])
  // As in the README, and without --host.
  writeFileSync(
    join(project, 'moat.yaml'),
    'name: shop\ndependencies: [node@22]\nports: {web: 5173}\ncommand: [npm, run, dev]\n',
  )
  started = await sandbox.moat(['run', '-d', project])
  port = (await sandbox.json<ProxyStatus>(['proxy', 'status'])).port
  browser = await startBrowser(sandbox, port)
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await sandbox.cleanUp()
})

describe('Vite', () => {
  it('works at the hosts of the endpoint and of the agent, hot reload included, with no setting', async () => {
    expect(started).toMatchObject({ code: 0 })
    await until('Vite to listen on localhost only', async () =>
      (await sandbox.moat(['logs', 'shop'])).stdout.includes('use --host to expose'),
    )
    expect(started.stderr).not.toContain('allowedHosts')
    const texts = ['Get started', 'Changed once', 'Changed twice']
    for (const [index, host] of ['web.shop.localhost', 'shop.localhost'].entries()) {
      const page = await browser.context.newPage()
      const sockets = await watchSockets(page)
      await page.goto(`https://${host}:${port}/`)
      await page
        .getByText(texts[index] ?? '')
        .first()
        .waitFor({ timeout: 20_000 })
      await follows(sockets, '"connected"')
      const edit = { file: join(project, 'src/App.tsx'), from: texts[index] ?? '', to: texts[index + 1] ?? '' }
      await changeHot(page, edit)
      expect(sockets.statuses, host).toEqual([200])
      await page.close()
    }
  })
})
