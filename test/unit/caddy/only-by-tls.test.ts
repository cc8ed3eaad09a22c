// What has a secret to lose is not served by plain HTTP.
import { describe, expect, it } from 'vitest'
import { onlyByTls } from '../../../src/caddy/only-by-tls.js'
import type { HostRoutes } from '../../../src/routing/route-table.js'

const password = { handler: 'authentication', providers: { http_basic: {} } }
const one = (host: string, handle: { [key: string]: unknown; handler: string }[]): HostRoutes => ({
  agent: 'app',
  endpoint: 'web',
  hosts: [host],
  plugin: 'moat-cli',
  routes: [{ handle }],
  runId: 'run_0123456789ab',
  upstream: true,
})

describe('plain HTTP', () => {
  it('is redirected at the domain and wherever a password is asked for, however deep, and nowhere else', () => {
    const nested = {
      handler: 'subroute',
      routes: [{ handle: [{ handler: 'subroute', routes: [{ handle: [password] }] }] }],
    }
    const table = [
      one('open.app.localhost', [{ handler: 'headers' }]),
      one('locked.app.localhost', [password]),
      one('nested.app.localhost', [{ handler: 'headers' }, nested]),
    ]
    expect(onlyByTls('localhost', table)).toMatchObject({
      handle: [{ headers: { Location: ['https://{http.request.hostport}{http.request.uri}'] }, status_code: 308 }],
      match: [{ host: ['localhost', 'locked.app.localhost', 'nested.app.localhost'] }],
      terminal: true,
    })
    expect(onlyByTls('dev.moat.test', [])).toMatchObject({ match: [{ host: ['dev.moat.test'] }] })
  })
})
