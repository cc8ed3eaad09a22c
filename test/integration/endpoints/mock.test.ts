// A stand-in for a service: a table in moat.yaml, answered by the proxy.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const yaml = (routes: string) =>
  `name: app\ndependencies: [node@22]\nports:\n  users:\n    type: mock\n    routes:\n${routes}\ncommand: sleep 1000\n`

describe('mock', () => {
  it('answers by method and path, and takes braces in a body as they stand', async () => {
    const routes = `      GET /users: {body: [{id: 1, home: "{env.HOME}"}]}
      GET /users/*: {body: a user, headers: {content-type: text/x-user, ETag: '"1"'}}
      POST /users: {status: 201, headers: {Location: /users/2}}
      "* /down": {status: 503, body: "\\\\{down}"}
      GET /Users: {body: capital}
      GET /a.b/*/c{d}: {body: odd}
      GET /x%2Fy: {body: escaped}`
    const { endpoints } = await sandbox.json<AgentView>([
      'run',
      '-d',
      sandbox.directory('app', { 'moat.yaml': yaml(routes) }),
    ])
    const url = endpoints[0]?.url ?? ''
    expect(await sandbox.get(`${url}/users`)).toMatchObject({
      body: '[{"id":1,"home":"{env.HOME}"}]',
      headers: { 'content-type': 'application/json' },
      status: 200,
    })
    expect(await sandbox.get(`${url}/users/7`)).toMatchObject({
      body: 'a user',
      headers: { 'content-type': 'text/x-user', etag: '"1"' },
    })
    expect(await sandbox.get(`${url}/down`)).toMatchObject({ body: '\\{down}', status: 503 })
    const asked = async (path: string) => (await sandbox.get(`${url}${path}`)).body
    expect(await asked('/Users')).toBe('capital')
    for (const path of ['/a.b/1/c%7Bd%7D', '/a.b/1/2/c%7Bd%7D']) expect(await asked(path)).toBe('odd')
    expect(await asked('/x%2Fy')).toBe('escaped')
    for (const path of ['/USERS', '/Down', '/down/', '/x/y', '/aXb/1/c%7Bd%7D', '/a.b/1/C%7Bd%7D'])
      expect(await asked(path)).toContain('has nothing at')
    expect(await sandbox.get(`${url}/else`)).toMatchObject({ headers: { 'x-moat-error': 'nothing_here' }, status: 404 })
    expect((await sandbox.moat(['wait', 'app'])).code).toBe(0)
  })

  it('says where its table is wrong, all at once', async () => {
    const routes = `      GET users: {body: x}
      GET /ok: {stauts: 200}
      GET /low: {status: 20}
      GET /head: {headers: {"a b": c}}`
    const outcome = await sandbox.moat(['run', sandbox.directory('app', { 'moat.yaml': yaml(routes) })])
    expect(outcome).toMatchObject({
      code: 2,
      stderr: `Error: app/moat.yaml:7:7: "GET users" is not a method and a path, such as "GET /users" or "* /api/*"
app/moat.yaml:8:17: unknown key "stauts" in "ports.users.routes.GET /ok"
app/moat.yaml:9:26: "ports.users.routes.GET /low.status" must be an HTTP status from 200 to 599
app/moat.yaml:10:29: "a b" is not the name of a header
`,
    })
  })
})
