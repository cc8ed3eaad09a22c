// moat proxy ca rotate: a new root and new certificates, with nothing restarted and nothing cut.
import { X509Certificate } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureAuthority } from '../../../src/authority/root.js'
import { rotateAuthority } from '../../../src/authority/rotate.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { shakeHands } from '../../helpers/bare-caddy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

/** Streams a number every 50 ms. */
const server = `
require('node:http').createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  setInterval(() => response.write('data: tick\\n\\n'), 50)
}).listen(3000)
`

describe('moat proxy ca rotate', () => {
  let sandbox: Sandbox

  beforeEach(() => {
    sandbox = new Sandbox()
  })
  afterEach(() => sandbox.cleanUp())

  const at = (path: string) => join(sandbox.home, 'proxy', path)
  const status = () => sandbox.json<ProxyStatus>(['proxy', 'status'])

  /** What a client makes of a host that trusts the root kept in this file. */
  const verdict = async (host: string, caFile: string) =>
    (await shakeHands(host, (await status()).port, caFile)).verdict

  it('gives agents certificates of a new root while their connections live on', async () => {
    const workspace = sandbox.workspace('app')
    sandbox.directory('app', { 'server.js': server })
    const agent = await sandbox.json<AgentView>(['run', '-d', workspace])
    await sandbox.json(['run', '-d', sandbox.workspace('gone')])
    await sandbox.json(['stop', 'gone'])
    const url = new URL(agent.endpoints[0]?.url ?? '')
    const oldFile = join(sandbox.directory('old'), 'ca.crt')
    const before = await status()
    writeFileSync(oldFile, sandbox.certificate)
    const oldKey = readFileSync(at('ca/ca.key'), 'utf8')

    let ticks = 0
    let ended = false
    const options = { agent: false as const, ca: sandbox.certificate, host: '127.0.0.1', port: url.port }
    const outgoing = request({ ...options, headers: { Host: url.host }, servername: url.hostname })
    outgoing.on('response', (response) => {
      response.on('data', () => {
        ticks += 1
      })
      response.on('close', () => {
        ended = true
      })
    })
    outgoing.end()
    await until('events', () => ticks > 0)

    const outcome = await sandbox.moat(['proxy', 'ca', 'rotate'])
    expect(outcome.code, outcome.stderr).toBe(0)
    const fingerprint = new X509Certificate(sandbox.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
    expect(outcome.stdout).toBe(
      `The new root certificate is ${fingerprint}\n\nNothing trusts it yet. To trust it and forget the old one:\n  moat proxy trust\n`,
    )
    expect((await status()).caddy).toEqual(before.caddy)

    // Of an agent that runs, of one that has stopped, and of the proxy itself.
    for (const host of [url.hostname, 'app.localhost', 'web.gone.localhost', 'localhost']) {
      const [now, then] = [await verdict(host, at('ca/ca.crt')), await verdict(host, oldFile)]
      const expected = host === 'web.gone.localhost' ? 'ERR_TLS_CERT_ALTNAME_INVALID' : 'accepted'
      expect([host, now]).toEqual([host, expected])
      expect([host, then]).not.toEqual([host, 'accepted'])
    }
    const seen = ticks
    await until('more events', () => ticks > seen + 2)
    expect(ended).toBe(false)
    outgoing.destroy()

    const [container] = await sandbox.containers()
    const inside = await sandbox.inside('app', 'cat', '/etc/moat/ca.crt')
    expect(container?.State).toBe('running')
    expect(inside.stdout).toBe(sandbox.certificate)
    expect((await sandbox.inside('app', 'ls', '/etc/moat')).stdout).toBe('159b6d19.0\nca.crt\nchromium-policy.json\n')
    expect(statSync(at('ca/ca.key')).mode & 0o777).toBe(0o600)
    const kept = readdirSync(at('.'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const { name, parentPath } of kept) expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain(oldKey)
  })

  it('works without a proxy, which then starts with the new root', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    await sandbox.json(['proxy', 'stop'])
    const before = sandbox.certificate
    const { previous } = await sandbox.json<{ previous: string }>(['proxy', 'ca', 'rotate'])
    expect(previous).toBe(new X509Certificate(before).fingerprint256.replaceAll(':', '').toLowerCase())
    expect(sandbox.certificate).not.toBe(before)
    await sandbox.json(['proxy', 'start', '--detach'])
    expect(await verdict('localhost', at('ca/ca.crt'))).toBe('accepted')
  })

  it('is completed by the next supervisor when its own is killed half-way', async () => {
    const agent = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
    const { caddy, supervisor } = await status()
    process.kill(supervisor?.pid ?? 0, 'SIGKILL')
    // All that the killed one got done.
    await rotateAuthority(moatPaths({ MOAT_HOME: sandbox.home }), 'localhost')
    expect((await status()).caddy?.pid).toBe(caddy?.pid)
    expect((await sandbox.get(agent.endpoints[0]?.url ?? '')).body).toBe('app 3000')
  })
})

describe('a rotation that is cut short', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moat-rotate-'))
  })
  afterEach(() => rmSync(directory, { force: true, recursive: true }))

  it('between its two renames is completed by the next start', async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    await ensureAuthority(paths, 'localhost')
    const other = moatPaths({ MOAT_HOME: join(directory, 'other') })
    const ready = await ensureAuthority(other, 'localhost')
    renameSync(join(other.proxy, 'ca'), paths.nextAuthority)
    renameSync(join(paths.proxy, 'ca'), join(paths.proxy, 'ca-retired'))
    expect(await ensureAuthority(paths, 'localhost')).toEqual({ certificate: ready.certificate, created: true })
    expect(existsSync(paths.nextAuthority)).toBe(false)
  })

  it('before them leaves the old root in place', async () => {
    const paths = moatPaths({ MOAT_HOME: directory })
    const { certificate } = await ensureAuthority(paths, 'localhost')
    const other = moatPaths({ MOAT_HOME: join(directory, 'other') })
    await ensureAuthority(other, 'localhost')
    renameSync(join(other.proxy, 'ca'), paths.nextAuthority)
    expect(await ensureAuthority(paths, 'localhost')).toEqual({ certificate, created: false })
    // And does not stand in the way of the next one.
    const { fingerprint } = await rotateAuthority(paths, 'localhost')
    expect((await rotateAuthority(paths, 'localhost')).previous).toBe(fingerprint)
    expect(readdirSync(paths.proxy).filter((name) => name.startsWith('ca'))).toEqual(['ca'])
    expect(readdirSync(paths.oldRoots)).toHaveLength(2)
  })
})
