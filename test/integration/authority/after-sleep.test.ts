// Certificates after the machine was asleep: the clock of a running, unchanged Caddy is moved, and the next handshake is
// that of a client whose clock says the same.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toCaddyConfig } from '../../../src/caddy/to-caddy-config.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'
import { emptyTable } from '../../../src/routing/route-table.js'
import { type BareCaddy, startBareCaddy } from '../../helpers/bare-caddy.js'
import { ShiftedClock } from '../../helpers/shifted-clock.js'
import { requireProgram } from '../../helpers/trust-machine.js'

const host = 'web.app.localhost'
const otherHost = 'api.app.localhost'
const upstream = (name: string) => ({ dial: '127.0.0.1:9', host: name, protocol: 'http' as const })
const routes = [upstream(host), upstream(otherHost)]
const minute = 60_000
const day = 86_400_000

let caddy: BareCaddy | undefined
let clock: ShiftedClock
let directory: string
let paths: MoatPaths

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-sleep-'))
  paths = moatPaths({ MOAT_HOME: directory })
})
afterEach(async () => {
  await caddy?.kill()
  caddy = undefined
  rmSync(directory, { force: true, recursive: true })
})

async function startCaddy(): Promise<void> {
  caddy = await startBareCaddy(paths, routes)
  clock = new ShiftedClock(caddy.pid)
}

/** One handshake, by the clock of Caddy: what the client thinks of it, and what it was shown. */
function shakeHands(name = host) {
  // The client's clock is ahead by seconds, since the certificate is yet to be made.
  const time = String(Math.floor(clock.now() / 1_000) + 10)
  const names = ['-connect', `127.0.0.1:${caddy?.port}`, '-servername', name, '-verify_hostname', name]
  const trust = ['-CAfile', paths.caCertificate, '-no-CApath', '-no-CAstore', '-attime', time]
  const openssl = requireProgram('openssl', 'apt-get install -y openssl')
  const options = { encoding: 'utf8', input: '', stdio: 'pipe', timeout: 10_000 } as const
  const output = execFileSync(openssl, ['s_client', ...names, ...trust, '-showcerts'], options)
  const pems = output.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? []
  const [leaf, intermediate] = pems.map((pem) => new X509Certificate(pem))
  if (!leaf || !intermediate) throw new Error(`Caddy showed no leaf and intermediate: ${output}`)
  return { intermediate, leaf, verdict: /Verify return code: \d+ \((.*)\)/.exec(output)?.[1] }
}

/** As when another agent stops. */
async function changeConfig(): Promise<void> {
  if (!caddy) return
  const { apps } = toCaddyConfig(caddy.settings, { ...emptyTable, upstreams: [upstream(host)] })
  await caddy.admin.replace(['apps'], apps)
}

/** Caddy made it just now, by its own clock. */
function expectNew(certificate: X509Certificate): void {
  expect(Math.abs(certificate.validFromDate.getTime() - clock.now())).toBeLessThan(minute)
}

const daysLeft = (certificate: X509Certificate) => (certificate.validToDate.getTime() - clock.now()) / day

describe('the first handshake after a sleep', () => {
  it('of eight days is good, and so is that of a new host', async () => {
    await startCaddy()
    const before = shakeHands()
    const root = readFileSync(paths.caCertificate, 'utf8')
    clock.jump(8)
    const after = shakeHands()
    expect(after.verdict).toBe('ok')
    expect(after.leaf.raw).toEqual(before.leaf.raw)

    const other = shakeHands(otherHost)
    expect(other.verdict).toBe('ok')
    expectNew(other.leaf)
    expect(readFileSync(paths.caCertificate, 'utf8')).toBe(root)
  })

  it('of eight days is good just before leaf and intermediate would have been renewed', async () => {
    await startCaddy()
    clock.jump(270)
    const { leaf } = shakeHands()
    expectNew(leaf)
    clock.jump(19)
    const before = shakeHands()
    clock.jump(8)
    const after = shakeHands()
    expect([before.verdict, after.verdict]).toEqual(['ok', 'ok'])
    expect(after.leaf.raw).toEqual(leaf.raw)
    expect(Math.round(daysLeft(after.leaf))).toBe(3)
    expect(Math.round(daysLeft(after.intermediate))).toBe(68)
  })

  it('that was longer than the life of a leaf shows a new one, of the same intermediate', async () => {
    await startCaddy()
    const before = shakeHands()
    clock.jump(31)
    expect(daysLeft(before.leaf)).toBeLessThan(0)
    const after = shakeHands()
    expect(after.verdict).toBe('ok')
    expectNew(after.leaf)
    expect(after.intermediate.raw).toEqual(before.intermediate.raw)
  })
})

describe('a clock that was ahead, and was put right', () => {
  it('leaves nothing that is not valid yet to the next Caddy', async () => {
    await startCaddy()
    clock.jump(2)
    rmSync(join(paths.caddyStorage, 'pki'), { recursive: true })
    await changeConfig()
    const before = shakeHands(otherHost)
    await caddy?.kill()
    await startCaddy()
    expect(daysLeft(before.intermediate)).toBeGreaterThan(0)
    expect(before.leaf.validFromDate.getTime()).toBeGreaterThan(clock.now())
    const after = shakeHands(otherHost)
    expect(after.verdict).toBe('ok')
    expectNew(after.leaf)
    expectNew(after.intermediate)
  })
})

describe('an intermediate that has run out', () => {
  it('is renewed at the next change of the config, under the same root', async () => {
    await startCaddy()
    const before = shakeHands()
    const root = readFileSync(paths.caCertificate, 'utf8')
    clock.jump(370)
    await changeConfig()
    const after = shakeHands()
    expect(after.verdict).toBe('ok')
    expectNew(after.leaf)
    expectNew(after.intermediate)
    expect(after.intermediate.raw).not.toEqual(before.intermediate.raw)
    expect(readFileSync(paths.caCertificate, 'utf8')).toBe(root)
  })

  it('is renewed at the start of Caddy, as is the leaf, under the same root', async () => {
    await startCaddy()
    const root = readFileSync(paths.caCertificate, 'utf8')
    // What a Caddy of a year ago has left in storage.
    clock.jump(-370)
    rmSync(join(paths.caddyStorage, 'pki'), { recursive: true })
    await changeConfig()
    const before = shakeHands()
    await caddy?.kill()
    await startCaddy()
    expect(daysLeft(before.intermediate)).toBeLessThan(0)
    const after = shakeHands()
    expect(after.verdict).toBe('ok')
    expectNew(after.leaf)
    expectNew(after.intermediate)
    expect(readFileSync(paths.caCertificate, 'utf8')).toBe(root)
  })
})
