// The second authority: what it is, where containers see it, and its replacement.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeBundle } from '../../../src/authority/bundle.js'
import { ensureEgressAuthority, rotateEgressAuthority } from '../../../src/authority/egress-root.js'
import { permittedNames } from '../../../src/authority/name-constraints.js'
import { chromiumPolicy, nameHash } from '../../../src/authority/publish-root.js'
import { ensureAuthority } from '../../../src/authority/root.js'
import { rotateAuthority } from '../../../src/authority/rotate.js'
import { subjectHash } from '../../../src/authority/subject-hash.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'

let directory: string
let paths: MoatPaths

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-second-'))
  paths = moatPaths({ MOAT_HOME: join(directory, 'm') })
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const openssl = (file: string, ...argv: string[]) =>
  execFileSync('openssl', ['x509', '-in', file, '-noout', ...argv], { encoding: 'utf8' }).trim()
const beside = (name: string) => join(dirname(paths.publicEgressCertificate), name)

describe('the second authority', () => {
  it('may sign for any host, has a key of its own that only its user reads, and is made once', async () => {
    await ensureAuthority(paths, 'localhost')
    const made = await Promise.all(Array.from({ length: 4 }, () => ensureEgressAuthority(paths)))
    expect(new Set(made).size).toBe(1)
    const certificate = new X509Certificate(made[0] ?? '')
    expect(certificate.subject).toMatch(/^OU=[0-9a-f]{16}\nCN=Moat egress CA$/)
    expect(permittedNames(certificate.raw)).toBeUndefined()
    expect(statSync(paths.egressKey).mode & 0o777).toBe(0o600)
    expect(readFileSync(paths.egressKey, 'utf8')).not.toBe(readFileSync(paths.caKey, 'utf8'))
    // The first one is as it was.
    expect(permittedNames(new X509Certificate(readFileSync(paths.caCertificate)).raw)).toEqual(['localhost'])
  })

  it('lies beside the first one where containers look, under the names by which OpenSSL looks', async () => {
    const { certificate: own } = await ensureAuthority(paths, 'localhost')
    const egress = await ensureEgressAuthority(paths)
    expect(readFileSync(paths.publicEgressCertificate, 'utf8')).toBe(own + egress)
    const hash = subjectHash(egress)
    expect(openssl(beside(`${hash}.0`), '-subject_hash')).toBe(hash)
    expect(openssl(beside(`${nameHash}.0`), '-subject_hash')).toBe(nameHash)
    expect(statSync(paths.publicEgressCertificate).mode & 0o777).toBe(0o644)
    const policy = JSON.parse(readFileSync(beside(chromiumPolicy), 'utf8'))
    expect(policy.CACertificates).toHaveLength(2)
    // Others trust the first one alone.
    expect(readFileSync(paths.publicCertificate, 'utf8')).toBe(own)
  })

  it('is replaced with all it has signed, and where it was trusted', async () => {
    const { certificate: own } = await ensureAuthority(paths, 'localhost')
    const egress = await ensureEgressAuthority(paths)
    const agent = join(paths.agents, 'run_0123456789ab')
    mkdirSync(agent, { recursive: true })
    await writeBundle(agent, 'opened', 'roots of the image', own + egress)
    await writeBundle(agent, 'other', 'roots of the image', own)
    const leaf = join(paths.egressStorage, 'certificates/egress/api.test')
    mkdirSync(leaf, { recursive: true })
    writeFileSync(join(leaf, 'api.test.crt'), 'old')
    const { fingerprint, previous } = await rotateEgressAuthority(paths)
    expect(previous).not.toBe(fingerprint)
    const next = readFileSync(paths.egressCertificate, 'utf8')
    expect(next).not.toBe(egress)
    expect(existsSync(leaf)).toBe(false)
    expect(readFileSync(paths.publicEgressCertificate, 'utf8')).toBe(own + next)
    // OpenSSL takes one root of a name: the old one, which containers may still have, must not stand in its way.
    expect(subjectHash(next)).not.toBe(subjectHash(egress))
    expect(existsSync(beside(`${subjectHash(egress)}.0`))).toBe(false)
    const bundle = (name: string) => readFileSync(join(agent, `${name}.pem`), 'utf8')
    expect(bundle('opened')).toContain(own + next)
    expect(bundle('opened')).not.toContain(egress)
    expect(bundle('other')).not.toContain(next)
    // As the first one's replacement leaves it.
    await rotateAuthority(paths, 'localhost')
    const second = readFileSync(paths.caCertificate, 'utf8')
    expect(readFileSync(paths.publicEgressCertificate, 'utf8')).toBe(second + next)
    expect(bundle('opened')).toContain(second + next)
    expect(bundle('other')).toContain(second)
    expect(bundle('other')).not.toContain(next)
  })

  it('that is broken is named, with the command', async () => {
    await ensureEgressAuthority(paths)
    rmSync(paths.egressKey)
    await expect(ensureEgressAuthority(paths)).rejects.toMatchObject({
      code: 'EGRESS_CA_BROKEN',
      message: `moat's second certificate authority is broken: ${paths.egressKey} is missing.`,
      suggestions: [expect.stringMatching(/^rm -r .*egress-ca /)],
    })
  })
})
