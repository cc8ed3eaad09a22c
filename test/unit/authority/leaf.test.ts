// The certificate of an agent, as clients that are written by somebody else judge it.
import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createRoot } from '../../../src/authority/create-root.js'
import { createLeaf, isGoodLeaf } from '../../../src/authority/leaf.js'

const day = 86_400_000
const root = await createRoot({ domain: 'dev.moat.test' })
const leaf = await createLeaf(root, 'my-app.localhost')

describe('the certificate of an agent', () => {
  it('is for its host and whatever is right below it, and nothing more', () => {
    const certificate = new X509Certificate(leaf)
    expect(certificate.subjectAltName).toBe('DNS:my-app.localhost, DNS:*.my-app.localhost')
    for (const host of ['my-app.localhost', 'wbe.my-app.localhost', '3000.my-app.localhost'])
      expect([host, certificate.checkHost(host)]).not.toEqual([host, undefined])
    for (const host of ['localhost', 'other.localhost', 'a.b.my-app.localhost'])
      expect([host, certificate.checkHost(host)]).toEqual([host, undefined])
    expect([certificate.ca, certificate.verify(new X509Certificate(root.certificate).publicKey)]).toEqual([false, true])
    // Of a clock that is a little behind, too.
    expect(certificate.validFromDate.getTime()).toBeLessThanOrEqual(Date.now())
  })

  it('has room for the longest name', async () => {
    const host = `${'a'.repeat(63)}.dev.moat.test`
    expect(isGoodLeaf(await createLeaf(root, host), root.certificate, host)).toBe(true)
  })

  it('is made anew long before its end, of another root, for another domain, and when it is broken', async () => {
    const other = await createRoot({ domain: 'localhost' })
    const isGood = (pem: string, by = root.certificate, host = 'my-app.localhost', later = 0) =>
      isGoodLeaf(pem, by, host, Date.now() + later)
    expect(isGood(leaf)).toBe(true)
    expect(isGood(leaf, root.certificate, 'my-app.localhost', 31 * day)).toBe(false)
    expect(isGood(leaf, root.certificate, 'my-app.localhost', -day)).toBe(false)
    expect(isGood(leaf, other.certificate)).toBe(false)
    expect(isGood(leaf, root.certificate, 'my-app.dev.moat.test')).toBe(false)
    const [certificate, key] = leaf.split(/(?=-----BEGIN PRIVATE KEY)/)
    const [, otherKey] = (await createLeaf(root, 'my-app.localhost')).split(/(?=-----BEGIN PRIVATE KEY)/)
    for (const broken of ['', `${certificate}`, `${key}`, `${certificate}${otherKey}`, leaf.slice(0, 300)])
      expect(isGood(broken)).toBe(false)
  })

  it('lives no longer than its root, and is not made again and again for that', async () => {
    const { validToDate } = new X509Certificate(root.certificate)
    const late = validToDate.getTime() - 10 * day
    const last = await createLeaf(root, 'my-app.localhost', late)
    expect(new X509Certificate(last).validToDate).toEqual(validToDate)
    expect(isGoodLeaf(last, root.certificate, 'my-app.localhost', late + 1_000)).toBe(true)
  })
})
