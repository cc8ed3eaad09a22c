// Files of a workspace, served by Caddy: what a browser gets, and what nobody gets whatever the agent puts there.
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = new Sandbox()
  await sandbox.json(['proxy', 'start'])
})
afterEach(() => sandbox.renew())
afterAll(() => sandbox.cleanUp())

async function start(options: object, prepare: (directory: string) => void = () => {}) {
  const workspace = sandbox.directory('app', {
    'moat.yaml': `name: app\ndependencies: [node@22]\nports: {report: ${JSON.stringify({ path: 'coverage', type: 'static', ...options })}}\ncommand: sleep 1000\n`,
  })
  const directory = sandbox.directory('app/coverage', { '.env': 'hidden', 'index.html': '<h1>report</h1>' })
  sandbox.directory('app/coverage/sub', { 'a b.css': 'body{}', 'data.json': '{}' })
  prepare(directory)
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', workspace])
  return { directory, url: endpoints[0]?.url ?? '', view: endpoints[0] }
}

describe('static', () => {
  it('serves the directory, without a server in the container', async () => {
    const { url, view } = await start({})
    expect(view).toMatchObject({ columns: { directory: 'coverage' }, plugin: 'moat-plugin-static', type: 'static' })
    expect(await sandbox.get(`${url}/`)).toMatchObject({
      body: '<h1>report</h1>',
      headers: { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' },
      status: 200,
    })
    expect(await sandbox.get(url.replace('report.', ''))).toMatchObject({ body: '<h1>report</h1>' })
    expect(await sandbox.get(`${url}/sub/a%20b.css`)).toMatchObject({
      body: 'body{}',
      headers: { 'content-type': 'text/css; charset=utf-8' },
    })
    const { headers } = await sandbox.get(`${url}/sub/data.json`)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    const range = await sandbox.get(`${url}/`, { headers: { range: 'bytes=4-9' } })
    expect(range).toMatchObject({ body: 'report', status: 206 })
    const again = await sandbox.get(`${url}/sub/data.json`, { headers: { 'if-none-match': String(headers.etag) } })
    expect(again.status).toBe(304)
  })

  it('has nothing but files: no list without browse, no file that starts with a dot', async () => {
    const { url } = await start({})
    for (const path of [
      '/sub/',
      '/sub',
      '/none',
      '/index.html/',
      '/.env',
      '/sub/%2e%2e/.env',
      '/%00',
      '/%zz',
      '/a%5cb',
    ]) {
      const answer = await sandbox.get(`${url}${path}`)
      expect([path, answer.status]).toEqual([path, path === '/%zz' ? 400 : 404])
    }
    expect(await sandbox.get(`${url}/none`)).toMatchObject({
      body: 'The endpoint report.app.localhost has nothing at /none.\n',
      headers: { 'cache-control': 'no-store' },
    })
  })

  it('lists a directory with browse, without what is hidden', async () => {
    const { url } = await start({ browse: true }, (directory) => symlinkSync('/etc', join(directory, 'sub', 'out')))
    expect(await sandbox.get(`${url}/sub?x=1`)).toMatchObject({ headers: { location: 'sub/?x=1' }, status: 308 })
    const { body, status } = await sandbox.get(`${url}/sub/`, { headers: { accept: 'text/html' } })
    expect(status).toBe(200)
    expect(body).toContain('a b.css')
    sandbox.directory('app/coverage/empty', { '.secret': '' })
    expect((await sandbox.get(`${url}/empty/`)).body).not.toContain('secret')
    expect((await sandbox.get(`${url}/sub/out/`)).status).toBe(404)
  })

  it('gives single-page apps their page for every path', async () => {
    const { url } = await start({ spa: true })
    expect(await sandbox.get(`${url}/users/7`)).toMatchObject({
      body: '<h1>report</h1>',
      headers: { 'content-type': 'text/html; charset=utf-8' },
      status: 200,
    })
    expect((await sandbox.get(`${url}/sub/data.json`)).body).toBe('{}')
  })

  it('cannot be left, by links neither', async () => {
    const outside = sandbox.directory('outside', { 'index.html': 'outside', secret: 'outside' })
    const { directory, url } = await start({ browse: true, spa: false }, (root) => {
      symlinkSync(join(outside, 'secret'), join(root, 'file'))
      symlinkSync(outside, join(root, 'directory'))
      symlinkSync('../../outside', join(root, 'relative'))
      symlinkSync('../moat.yaml', join(root, 'inside'))
    })
    for (const path of [
      '/file',
      '/directory/',
      '/directory',
      '/directory/secret',
      '/relative/secret',
      '/sub/%2e%2e/file',
      '/../outside/secret',
    ]) {
      const answer = await sandbox.get(`${url}${path}`)
      expect([path, answer.status]).toEqual([path, 404])
      expect(answer.body).not.toMatch(/^outside/)
    }
    // The workspace itself is the agent's, and a link within it is no way out.
    expect((await sandbox.get(`${url}/inside`)).status).toBe(200)
    // The whole directory becomes a link after the start.
    renameSync(directory, `${directory}-before`)
    symlinkSync(outside, directory)
    expect((await sandbox.get(`${url}/`)).status).toBe(404)
    expect((await sandbox.get(`${url}/secret`)).status).toBe(404)
  })

  it('cannot be left by an agent that swaps a file and a link as fast as it can', async () => {
    const outside = sandbox.directory('outside', { secret: 'outside' })
    const { url } = await start({}, (root) => {
      writeFileSync(join(root, 'plain'), 'inside')
      symlinkSync(join(outside, 'secret'), join(root, 'link'))
    })
    const swapping = sandbox.start([
      'exec',
      'app',
      '--',
      'sh',
      '-c',
      'cd coverage; while :; do cp -P plain x; mv -fT x target; cp -P link x; mv -fT x target; done',
    ])
    const bodies = new Set<string>()
    const end = performance.now() + 3_000
    while (performance.now() < end) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => sandbox.get(`${url}/target`)))
      for (const { body, status } of answers) if (status === 200) bodies.add(body)
    }
    swapping.process.kill('SIGKILL')
    expect([...bodies]).toEqual(['inside'])
  })

  it('is refused at once when the directory leads out of the workspace', async () => {
    const outside = sandbox.directory('outside')
    const yaml = (path: string) => `name: app\nports:\n  report: {type: static, path: ${path}}\n`
    const workspace = sandbox.directory('app', { 'moat.yaml': yaml('out') })
    symlinkSync(outside, join(workspace, 'out'))
    expect(await sandbox.moat(['run', workspace])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^Error: Plugin moat-plugin-static failed in the hook moat:register-endpoints: endpoint report: out is a symbolic link that leads out of the workspace, to .*\/outside\.\n/,
      ),
    })
    for (const [path, message] of [
      ['../outside', '"ports.report.path" must stay in the workspace: ".." leads out of it'],
      ['/etc', '"ports.report.path" must be relative to the workspace, not an absolute path'],
      ['', '"ports.report.path" must be a directory of the workspace, such as coverage'],
    ] as const) {
      sandbox.directory('app', { 'moat.yaml': yaml(path) })
      expect(await sandbox.moat(['run', workspace])).toMatchObject({
        code: 2,
        stderr: `Error: app/moat.yaml:3:${path === '' ? '26' : '32'}: ${message}\n`,
      })
    }
    expect(await sandbox.containers()).toEqual([])
  })

  it('keeps its socket to this user, and answers nobody about an agent it does not know', async () => {
    await start({})
    const ask = (headers: Record<string, string>) =>
      new Promise<number | undefined>((done, fail) => {
        const socketPath = join(sandbox.home, 'proxy/files.sock')
        request({ headers, path: '/index.html', socketPath }, (response) => done(response.resume().statusCode))
          .on('error', fail)
          .end()
      })
    expect(await ask({ 'x-moat-endpoint': 'report', 'x-moat-run': 'run_000000000000' })).toBe(404)
    const { statSync } = await import('node:fs')
    expect(statSync(join(sandbox.home, 'proxy/files.sock')).mode & 0o777).toBe(0o600)
  })
})
