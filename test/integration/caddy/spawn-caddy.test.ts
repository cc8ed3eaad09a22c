// Caddy without a supervisor: what it serves in each protocol, whom its certificates convince, and how a start fails.
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CaddyAdminError } from '../../../src/caddy/admin.js'
import { configChange } from '../../../src/caddy/config-change.js'
import { findCaddy } from '../../../src/caddy/find-caddy.js'
import { spawnCaddy } from '../../../src/caddy/spawn-caddy.js'
import { toCaddyConfig } from '../../../src/caddy/to-caddy-config.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'
import { emptyTable, type Upstream } from '../../../src/routing/route-table.js'
import { type BareCaddy, shakeHands, startBareCaddy } from '../../helpers/bare-caddy.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
let caddy: BareCaddy | undefined
let directory: string
let servers: Server[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-caddy-'))
  servers = []
})
afterEach(async () => {
  for (const server of servers) server.close()
  await caddy?.kill()
  caddy = undefined
  rmSync(directory, { force: true, recursive: true })
})

/** Starts an upstream on a free port; returns its address. */
async function upstream(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function start(paths: MoatPaths, upstreams: Upstream[]): Promise<BareCaddy> {
  caddy = await startBareCaddy(paths, upstreams)
  return caddy
}

/** What curl, trusting the root only, is answered. */
async function curl(paths: MoatPaths, host: string, port: number, ...args: string[]): Promise<string> {
  // A certificate of this very second may count as not yet valid.
  await until(
    `${host} accepted`,
    async () => (await shakeHands(host, port, paths.caCertificate)).verdict === 'accepted',
  )
  const resolve = `${host}:${port}:127.0.0.1`
  const trust = ['--cacert', paths.caCertificate, '--resolve', resolve]
  return (await run('curl', ['-sS', '--max-time', '10', ...trust, ...args, `https://${host}:${port}/`])).stdout
}

/** A certificate that nobody trusts, for an upstream of its own. */
function selfSigned(): { cert: Buffer; key: Buffer } {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=container']
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert], { stdio: 'pipe' })
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

describe('Caddy', () => {
  it('speaks to each upstream in its protocol, with the Host of the URL, over HTTP/1.1 and HTTP/2', async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    const http = createHttp((request, response) => response.end(`http ${request.headers.host}`))
    const https = createHttps(selfSigned(), (request, response) => response.end(`https ${request.headers.host}`))
    const h2c = createHttp2((request, response) => response.end(`h2c ${request.authority}`))
    const { port } = await start(paths, [
      { dial: await upstream(http), host: 'web.app.localhost', protocol: 'http' },
      { dial: await upstream(https), host: 'tls.app.localhost', protocol: 'https' },
      { dial: await upstream(h2c as unknown as Server), host: 'grpc.app.localhost', protocol: 'h2c' },
    ])
    for (const version of ['--http1.1', '--http2']) {
      expect(await curl(paths, 'web.app.localhost', port, version)).toBe(`http web.app.localhost:${port}`)
      expect(await curl(paths, 'tls.app.localhost', port, version)).toBe(`https tls.app.localhost:${port}`)
      expect(await curl(paths, 'grpc.app.localhost', port, version)).toBe(`h2c grpc.app.localhost:${port}`)
    }
  })

  it('has certificates for every name of an agent that Node accepts, and for no other', async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    const { port } = await start(paths, [{ dial: '127.0.0.1:9', host: 'web.my-app.localhost', protocol: 'http' }])
    for (const host of ['web.my-app.localhost', 'my-app.localhost', 'localhost']) {
      // A certificate of this very second may count as not yet valid.
      await until(
        `${host} accepted`,
        async () => (await shakeHands(host, port, paths.caCertificate)).verdict === 'accepted',
      )
    }
    for (const [host, verdict] of [
      ['www.example.com', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'],
      ['web.nobody.localhost', 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ['one.label.too.many.localhost', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'],
    ] as const) {
      expect([host, (await shakeHands(host, port, paths.caCertificate)).verdict]).toEqual([host, verdict])
    }
  })

  it('takes new routes as a change, and says why it refuses one', async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    const { admin, port, settings } = await start(paths, [])
    const http = createHttp((_, response) => response.end('new'))
    const route = { dial: await upstream(http), host: 'web.app.localhost', protocol: 'http' as const }
    const change = configChange(
      await admin.readConfig(),
      toCaddyConfig(settings, { ...emptyTable, upstreams: [route] }),
    )
    expect(change?.path).toEqual(['apps', 'http', 'servers'])
    // Certificates are made for names that Caddy finds there.
    writeFileSync(join(paths.proxy, 'names/web.app.localhost'), '')
    await admin.replace(change?.path ?? [], change?.value)
    expect(await curl(paths, 'web.app.localhost', port)).toBe('new')
    await expect(admin.replace(['apps', 'tls'], { nonsense: 1 })).rejects.toThrow(CaddyAdminError)
    await expect(admin.replace(['apps', 'tls'], { nonsense: 1 })).rejects.toThrow('unknown field "nonsense"')
    expect(await curl(paths, 'web.app.localhost', port)).toBe('new')
  })

  it('writes only below its storage, and its admin socket and log are for this user only', async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    await start(paths, [])
    for (const path of [paths.adminSocket, paths.caddyLog]) {
      expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, '600'])
    }
    const environment = readFileSync(`/proc/${caddy?.pid}/environ`, 'utf8').split('\0')
    expect(environment).toContain(`HOME=${paths.caddyStorage}`)
    expect(environment).toContain(`XDG_DATA_HOME=${paths.caddyStorage}`)
  })

  it.each(['with space', 'co:lon', 'ha#sh', 'per%41cent'])('serves from a directory named "%s"', async (name) => {
    const paths = moatPaths({ MOAT_HOME: join(directory, name) })
    const { port } = await start(paths, [])
    expect(await curl(paths, 'localhost', port)).toContain('there is no page to show')
  })
})

describe('a Caddy that does not start', () => {
  it("is an error in Caddy's words", async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    mkdirSync(paths.proxy, { recursive: true })
    const { path } = await findCaddy({ env: process.env, paths })
    const options = { config: { apps: { nonsense: {} } }, env: process.env, listeningFds: [], onInherited() {}, paths }
    await expect(spawnCaddy({ ...options, binary: path })).rejects.toMatchObject({
      code: 'CADDY_FAILED',
      message: expect.stringContaining('unknown module: nonsense'),
    })
  })
})
