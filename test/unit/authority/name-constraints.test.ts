// Owns what a root may sign for, as bytes and as openssl reads them.
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRoot } from '../../../src/authority/create-root.js'
import { loopbackOnly, permits, permittedNames } from '../../../src/authority/name-constraints.js'
import { openssl } from '../../helpers/forge.js'

const directory = mkdtempSync(join(tmpdir(), 'moat-constraints-'))
afterAll(() => rmSync(directory, { force: true, recursive: true }))

async function rootFor(domain: string) {
  const { certificate } = await createRoot({ domain })
  const file = join(directory, `${domain.slice(0, 20)}.crt`)
  writeFileSync(file, certificate)
  return { raw: new X509Certificate(certificate).raw, text: openssl('x509', '-in', file, '-noout', '-text') }
}

const longest = `${'a'.repeat(63)}.${'b'.repeat(47)}`

describe('the name constraints of a root', () => {
  it('for localhost are the bytes they have always been', () => {
    expect(loopbackOnly('localhost').toString('hex')).toBe(
      '303fa03d300b82096c6f63616c686f7374300a87087f000000ff00000030228720' +
        '00000000000000000000000000000001ffffffffffffffffffffffffffffffff',
    )
    expect(loopbackOnly('dev.localhost')).toEqual(loopbackOnly('localhost'))
  })

  it('have the shortest lengths there are: anything else is not DER, and Caddy does not read it', () => {
    const long = loopbackOnly(longest)
    expect([...long.subarray(0, 3)]).toEqual([0x30, 0x81, long.length - 3])
    expect([...long.subarray(3, 6)]).toEqual([0xa0, 0x81, long.length - 6])
  })

  it.each([
    ['localhost', ['localhost']],
    ['moat.test', ['localhost', 'moat.test']],
    ['dev.localhost', ['localhost']],
    [longest, ['localhost', longest]],
  ])('for %s are critical, and are read back', async (domain, names) => {
    const { raw, text } = await rootFor(domain)
    expect(permittedNames(raw)).toEqual(names)
    const lines = names.map((name) => `                  DNS:${name}\n`).join('')
    expect(text).toContain(
      `Name Constraints: critical\n                Permitted:\n${lines}                  IP:127.0.0.0/255.0.0.0\n`,
    )
    expect(text).not.toContain('Excluded')
  })

  it('permit the domain, what is below it, and nothing that only looks like it', async () => {
    const { raw } = await rootFor('moat.test')
    for (const domain of ['localhost', 'dev.localhost', 'moat.test', 'dev.moat.test']) {
      expect(permits(raw, domain)).toBe(true)
    }
    for (const domain of ['test', 'other.test', 'evilmoat.test', 'moat.test.example.com']) {
      expect(permits(raw, domain)).toBe(false)
    }
  })

  it('that a certificate does not have permit everything', () => {
    const [certificate, key] = [join(directory, 'free.crt'), join(directory, 'free.key')]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x']
    openssl('req', '-x509', ...kind, '-keyout', key, '-out', certificate)
    const { raw } = new X509Certificate(openssl('x509', '-in', certificate))
    expect(permittedNames(raw)).toBeUndefined()
    expect(permits(raw, 'moat.test')).toBe(true)
  })
})
