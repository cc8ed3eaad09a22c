// Certificates after the machine was asleep. Nobody can make Caddy's clock jump in a test (a static binary reads it from
// the kernel), so the lives of certificates are shortened instead: a leaf of seconds that is past its end is to Caddy what
// a leaf of 30 days is after a long sleep. What moat's own lives leave after eight days is checked by date.
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CaddyConfig } from '../../../src/caddy/to-caddy-config.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'
import { type BareCaddy, type Handshake, shakeHands, startBareCaddy } from '../../helpers/bare-caddy.js'
import { until } from '../../helpers/until.js'

const host = 'web.app.localhost'
const routes = [{ dial: '127.0.0.1:9', host, protocol: 'http' as const }]
const day = 86_400_000
const shortest = '5s'

let caddy: BareCaddy | undefined
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

const short = (lives: { intermediate?: string; leaf?: string }) => (config: CaddyConfig) => {
  const text = JSON.stringify(config)
    .replace('"lifetime":"720h"', `"lifetime":"${lives.leaf ?? '720h'}"`)
    .replace('"intermediate_lifetime":"8760h"', `"intermediate_lifetime":"${lives.intermediate ?? '8760h'}"`)
  return JSON.parse(text) as CaddyConfig
}

const handshake = (port: number) => shakeHands(host, port, paths.caCertificate)
const accepted = (port: number) =>
  until('a valid certificate', async () => {
    const answer = await handshake(port)
    return answer.verdict === 'accepted' && answer
  })
/** Caddy counts a certificate as valid for the whole of its last second. */
const isOver = ({ certificate }: Handshake) =>
  certificate !== undefined && certificate.validToDate.getTime() + 1_000 < Date.now()

describe('the first handshake after a sleep', () => {
  it('shows a new certificate when the one in memory has run out', async () => {
    caddy = await startBareCaddy(paths, routes, short({ leaf: shortest }))
    const before = await accepted(caddy.port)
    const { port } = caddy
    await until('the end of the certificate', () => isOver(before), 30_000)
    const after = await handshake(port)
    expect(after.verdict).toBe('accepted')
    expect(after.certificate?.serialNumber).not.toBe(before.certificate?.serialNumber)
    expect(isOver(after)).toBe(false)
  })

  it('shows a new certificate when leaf and intermediate in storage have run out, under the same root', async () => {
    const root = () => readFileSync(paths.caCertificate, 'utf8')
    caddy = await startBareCaddy(paths, routes, short({ intermediate: '10s', leaf: shortest }))
    const before = await accepted(caddy.port)
    const stored = join(paths.caddyStorage, 'pki/authorities/local/intermediate.crt')
    const [rootBefore, intermediateBefore] = [root(), readFileSync(stored, 'utf8')]
    await caddy.kill()
    const end = new X509Certificate(intermediateBefore).validToDate
    await until('the end of both', () => isOver(before) && end < new Date(), 30_000)
    expect(readdirSync(join(paths.caddyStorage, 'certificates/local'))).toContain(host)

    caddy = await startBareCaddy(paths, routes)
    const after = await handshake(caddy.port)
    expect(after.verdict).toBe('accepted')
    expect(isOver(after)).toBe(false)
    expect(root()).toBe(rootBefore)
    expect(readFileSync(stored, 'utf8')).not.toBe(intermediateBefore)
  })
})

describe('eight days', () => {
  it('are less than any certificate has left when Caddy renews it', async () => {
    caddy = await startBareCaddy(paths, routes)
    const { certificate } = await accepted(caddy.port)
    const left = (certificate?.validToDate.getTime() ?? 0) - Date.now()
    expect(left).toBeGreaterThan(29 * day)
    // A third of its life before the end of a leaf, the next handshake renews it: ten days.
    expect(left / 3).toBeGreaterThan(8 * day)
    const pem = readFileSync(join(paths.caddyStorage, 'pki/authorities/local/intermediate.crt'))
    const intermediate = new X509Certificate(pem)
    // The intermediate is renewed at a fifth: 73 days.
    expect((intermediate.validToDate.getTime() - Date.now()) / 5).toBeGreaterThan(8 * day)
  })
})
