// The root certificate as openssl and Node see it, and what happens to files that do not fit.
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureAuthority } from '../../../src/authority/root.js'
import { moatPaths } from '../../../src/config/paths.js'
import { openssl } from '../../helpers/forge.js'

let directory: string
let paths: ReturnType<typeof moatPaths>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-ca-'))
  paths = moatPaths({ MOAT_HOME: directory })
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

describe('ensureAuthority', () => {
  it('makes a ten-year root for localhost and loopback only, its key for this user only', async () => {
    const { certificate, created } = await ensureAuthority(paths, 'localhost')
    expect(created).toBe(true)
    expect(readFileSync(paths.caCertificate, 'utf8')).toBe(certificate)
    const text = openssl('x509', '-in', paths.caCertificate, '-noout', '-text')
    expect(text).toMatch(/Issuer: CN ?= ?Moat CA\n/)
    expect(text).toMatch(/Subject: CN ?= ?Moat CA\n/)
    expect(text).toMatch(/X509v3 Basic Constraints: critical\n\s+CA:TRUE/)
    expect(text).toMatch(
      /X509v3 Name Constraints: critical\n\s+Permitted:\n\s+DNS:localhost\n\s+IP:127.0.0.0\/255.0.0.0\n\s+IP:0:0:0:0:0:0:0:1\/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF\n/,
    )
    expect(statSync(paths.caKey).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'proxy/ca')).mode & 0o777).toBe(0o700)
    const nineYears = String(9 * 365 * 86_400)
    expect(openssl('x509', '-in', paths.caCertificate, '-noout', '-checkend', nineYears)).toContain('will not expire')
  })

  it('is made once, by however many at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureAuthority(paths, 'localhost')))
    expect(made.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(made.map(({ certificate }) => certificate)).size).toBe(1)
    expect(readdirSync(join(directory, 'proxy')).toSorted()).toEqual(['ca', 'public'])
    expect(await ensureAuthority(paths, 'localhost')).toEqual({ certificate: made[0]?.certificate, created: false })
  })

  it.each([
    ['a missing key', () => rmSync(paths.caKey), () => `${paths.caKey} is missing`],
    ['a missing certificate', () => rmSync(paths.caCertificate), () => `${paths.caCertificate} is missing`],
    [
      'a broken certificate',
      () => writeFileSync(paths.caCertificate, ''),
      () => `${paths.caCertificate} is not a certificate`,
    ],
    ['a broken key', () => writeFileSync(paths.caKey, 'x'), () => `${paths.caKey} is not a private key`],
  ])('refuses %s and leaves the files alone', async (_, damage, reason) => {
    await ensureAuthority(paths, 'localhost')
    damage()
    const before = readdirSync(join(directory, 'proxy/ca'))
    await expect(ensureAuthority(paths, 'localhost')).rejects.toMatchObject({
      code: 'CA_BROKEN',
      message: `moat's certificate authority is broken: ${reason()}.`,
      suggestions: [
        `moat proxy stop; rm -r ${directory}/proxy/ca; moat proxy start --detach && moat proxy trust   # unless you can put the files back: a new one is made`,
      ],
    })
    expect(readdirSync(join(directory, 'proxy/ca'))).toEqual(before)
  })

  it('forgets what an earlier root signed, before the new one is in place', async () => {
    for (const name of ['certificates', 'pki', 'locks']) mkdirSync(join(paths.caddyStorage, name), { recursive: true })
    await ensureAuthority(paths, 'localhost')
    expect(readdirSync(paths.caddyStorage)).toEqual(['locks'])

    rmSync(join(directory, 'proxy'), { recursive: true })
    mkdirSync(join(directory, 'proxy'))
    // A storage that cannot be emptied: no root may appear that its certificates do not chain to.
    writeFileSync(paths.caddyStorage, '')
    await expect(ensureAuthority(paths, 'localhost')).rejects.toThrow('ENOTDIR')
    expect(existsSync(join(directory, 'proxy/ca'))).toBe(false)
  })

  it('publishes the certificate, and nothing else, for containers', async () => {
    const { certificate } = await ensureAuthority(paths, 'localhost')
    expect(readdirSync(join(directory, 'proxy/public')).toSorted()).toEqual([
      '159b6d19.0',
      'ca.crt',
      'chromium-policy.json',
    ])
    const policy = join(directory, 'proxy/public/chromium-policy.json')
    const { ino } = statSync(policy)
    writeFileSync(paths.publicCertificate, 'stale')
    writeFileSync(policy, 'stale')
    await ensureAuthority(paths, 'localhost')
    const { CACertificates } = JSON.parse(readFileSync(policy, 'utf8')) as { CACertificates: string[] }
    expect(CACertificates).toEqual([new X509Certificate(certificate).raw.toString('base64')])
    // A container that has it mounted sees the new one.
    expect(statSync(policy)).toMatchObject({ ino })
    expect(readFileSync(paths.publicCertificate, 'utf8')).toBe(certificate)
    expect(statSync(paths.publicCertificate).mode & 0o777).toBe(0o644)
  })

  it('refuses a key of another certificate', async () => {
    await ensureAuthority(paths, 'localhost')
    const otherPaths = moatPaths({ MOAT_HOME: join(directory, 'other') })
    await ensureAuthority(otherPaths, 'localhost')
    writeFileSync(paths.caKey, readFileSync(otherPaths.caKey))
    await expect(ensureAuthority(paths, 'localhost')).rejects.toThrow(
      `${paths.caKey} does not belong to ${paths.caCertificate}`,
    )
  })
})
