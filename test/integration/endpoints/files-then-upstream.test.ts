// An endpoint type whose registration has all three: routes, then files of the workspace, then a server in the container.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const plugin = {
  'package.json': JSON.stringify({
    name: 'moat-plugin-layers',
    oclif: { hooks: { 'moat:endpoint-types': './types.js', 'moat:register-endpoints': './register.js' } },
    type: 'module',
    version: '1.0.0',
  }),
  'register.js': `export default async ({ endpoints }) => endpoints
  .filter(({ type }) => type === 'layers')
  .map(({ name }) => ({
    endpoint: name,
    files: { browse: name === 'listed', root: 'public' },
    routes: [{ handle: [{ handler: 'static_response', body: 'route' }], match: [{ path: ['/route'] }], terminal: true }],
    upstream: { host: 'app.test', port: 3000 },
  }))`,
  'types.js': `export default async () => [{
  name: 'layers',
  options: { safeParseAsync: async (data) => ({ data, success: true }) },
}]`,
}

it('routes come first, then files, and the server gets what is left, as it was sent', async () => {
  const linked = await sandbox.moat(['plugins', 'link', sandbox.directory('plugin', plugin)])
  expect(linked).toMatchObject({ code: 0 })
  const workspace = sandbox.directory('app', {
    'moat.yaml':
      'name: app\ndependencies: [node@22]\nports: {web: {type: layers}, listed: {type: layers}}\ncommand: [node, server.js]\n',
    'server.js': `require('node:http').createServer((request, response) => {
  let body = ''
  request.on('data', (piece) => { body += piece }).on('end', () =>
    response.end([request.method, request.url, request.headers.host, body].join(' ')))
}).listen(3000)`,
  })
  sandbox.directory('app/public', { 'a.txt': 'file', route: 'never' })
  sandbox.directory('app/public/sub', { 'b.txt': 'below' })
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', workspace])
  const [listed = '', web = ''] = endpoints.map(({ url }) => url).toSorted()
  const asked = async (path: string, options = {}) => (await sandbox.get(`${web}${path}`, options)).body
  expect(await asked('/route')).toBe('route')
  expect(await asked('/a.txt')).toBe('file')
  expect(await asked('/sub/b.txt')).toBe('below')
  for (const path of ['/', '/none?q=%2F', '/a%2Fb', '/sub/', '/.env'])
    expect(await asked(path)).toBe(`GET ${path} app.test `)
  const sent = { body: 'sent', headers: { 'content-length': '4' } }
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    expect(await asked('/a.txt', { ...sent, method })).toBe(`${method} /a.txt app.test sent`)
  expect(await asked('/none', { ...sent, method: 'GET' })).toBe('GET /none app.test sent')
  expect((await sandbox.get(`${web}/none`, { method: 'HEAD' })).status).toBe(200)
  expect((await sandbox.get(`${listed}/sub/`)).body).toContain('b.txt')
  expect((await sandbox.get(`${listed}/none`)).body).toBe('GET /none app.test ')
})
