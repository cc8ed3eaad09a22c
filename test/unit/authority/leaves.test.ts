// The files with agents' certificates: there with the agent, gone after it, and made anew when the root is another.
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRoot } from '../../../src/authority/create-root.js'
import { Leaves } from '../../../src/authority/leaves.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'
import { emptyTable, type RouteTable } from '../../../src/routing/route-table.js'

const minute = 60_000
const day = 1_440 * minute

let directory: string
let leaves: Leaves
let log: string[]
let paths: MoatPaths

const table = (...agents: string[]): RouteTable => ({
  ...emptyTable,
  inside: agents.map((agent) => ({ agent, runId: 'run_0123456789ab' })),
})
const files = () => readdirSync(join(paths.proxy, 'leaves')).toSorted()
const leaf = (agent: string) => new X509Certificate(readFileSync(join(paths.proxy, `leaves/${agent}.pem`)))

async function putRoot(): Promise<void> {
  const { certificate, key } = await createRoot({ domain: 'localhost' })
  mkdirSync(dirname(paths.caKey), { recursive: true })
  writeFileSync(paths.caCertificate, certificate)
  writeFileSync(paths.caKey, key)
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'moat-leaves-'))
  paths = moatPaths({ MOAT_HOME: directory })
  log = []
  await putRoot()
  vi.useFakeTimers({ toFake: ['Date'] })
  leaves = new Leaves({ domain: 'localhost', log: (message) => log.push(message), mostOfGone: 3, paths })
})
afterEach(() => {
  leaves.close()
  vi.useRealTimers()
  rmSync(directory, { force: true, recursive: true })
})

describe('the certificates of agents', () => {
  it('are there with them, stay as they are, and go some time after them', async () => {
    await leaves.apply(table('shop', 'blog'))
    expect(files()).toEqual(['blog.pem', 'shop.pem'])
    const { serialNumber } = leaf('shop')
    vi.setSystemTime(Date.now() + minute)
    await leaves.apply(table('shop'))
    expect([files(), leaf('shop').serialNumber]).toEqual([['blog.pem', 'shop.pem'], serialNumber])
    vi.setSystemTime(Date.now() + 11 * minute)
    await leaves.apply(table('shop'))
    expect([files(), leaf('shop').serialNumber]).toEqual([['shop.pem'], serialNumber])
  })

  it('are there before them where they are expected, and go where they do not come', async () => {
    await leaves.apply(table('shop'))
    await Promise.all([leaves.expect('blog'), leaves.expect('never')])
    expect([files(), leaf('blog').checkHost('web.blog.localhost')]).toEqual([
      ['blog.pem', 'never.pem', 'shop.pem'],
      expect.anything(),
    ])
    const { serialNumber } = leaf('blog')
    await leaves.apply(table('shop', 'blog'))
    vi.setSystemTime(Date.now() + 11 * minute)
    await leaves.apply(table('shop', 'blog'))
    expect([files(), leaf('blog').serialNumber]).toEqual([['blog.pem', 'shop.pem'], serialNumber])
    // One that has gone, and is expected again at the end of its time.
    await leaves.apply(table('shop'))
    vi.setSystemTime(Date.now() + 9 * minute)
    await leaves.expect('blog')
    vi.setSystemTime(Date.now() + 2 * minute)
    await leaves.apply(table('shop'))
    expect(files()).toEqual(['blog.pem', 'shop.pem'])
  })

  it('do not pile up while agents come and go', async () => {
    for (let count = 0; count < 8; count += 1) await leaves.apply(table(`n${count}`))
    expect(files()).toEqual(['n4.pem', 'n5.pem', 'n6.pem', 'n7.pem'])
  })

  it('are made anew before they end, and when somebody has removed them', async () => {
    await leaves.apply(table('shop'))
    const { serialNumber } = leaf('shop')
    vi.setSystemTime(Date.now() + 31 * day)
    await leaves.apply(table('shop'))
    expect(leaf('shop').serialNumber).not.toBe(serialNumber)
    rmSync(join(paths.proxy, 'leaves'), { recursive: true })
    vi.setSystemTime(Date.now() + 11 * minute)
    await leaves.apply(table('shop'))
    expect(files()).toEqual(['shop.pem'])
  })

  it('are made anew when the clock was ahead, and is put right', async () => {
    const now = Date.now()
    vi.setSystemTime(now + day)
    await leaves.apply(table('shop'))
    const { serialNumber } = leaf('shop')
    vi.setSystemTime(now)
    await leaves.apply(table('shop'))
    expect(leaf('shop').serialNumber).not.toBe(serialNumber)
    expect(leaf('shop').validFromDate.getTime()).toBeLessThan(now)
  })

  it('of an earlier root are replaced, those of agents that are gone removed', async () => {
    await leaves.apply(table('shop', 'blog'))
    await leaves.apply(table('shop'))
    await putRoot()
    await leaves.apply(table('shop'))
    expect(files()).toEqual(['shop.pem'])
    expect(leaf('shop').verify(new X509Certificate(readFileSync(paths.caCertificate)).publicKey)).toBe(true)
  })

  it('of an earlier supervisor are kept while they are good, and removed when they are of nobody', async () => {
    await leaves.apply(table('shop', 'blog'))
    writeFileSync(join(paths.proxy, 'leaves/.shop'), 'half')
    const { serialNumber } = leaf('shop')
    const next = new Leaves({ domain: 'localhost', log: (message) => log.push(message), paths })
    await next.apply(table('shop'))
    next.close()
    expect([files(), leaf('shop').serialNumber]).toEqual([['shop.pem'], serialNumber])
  })

  it('are there whatever somebody has put in their place', async () => {
    for (const entry of ['old', '.shop', 'shop.pem', 'blog.pem'])
      mkdirSync(join(paths.proxy, `leaves/${entry}/deeper`), { recursive: true })
    await leaves.apply(table('shop'))
    expect([files(), leaf('shop').checkHost('web.shop.localhost'), log]).toEqual([['shop.pem'], expect.anything(), []])
    rmSync(join(paths.proxy, 'leaves/shop.pem'))
    mkdirSync(join(paths.proxy, 'leaves/shop.pem/deeper'), { recursive: true })
    vi.setSystemTime(Date.now() + 11 * minute)
    await leaves.apply(table('shop'))
    expect([files(), leaf('shop').serialNumber.length > 0, log]).toEqual([['shop.pem'], true, []])
    await leaves.apply(table())
    rmSync(join(paths.proxy, 'leaves/shop.pem'))
    mkdirSync(join(paths.proxy, 'leaves/shop.pem/deeper'), { recursive: true })
    vi.setSystemTime(Date.now() + 11 * minute)
    await leaves.apply(table())
    expect([files(), log]).toEqual([[], []])
  })

  it('stay as they are while the root is of no use, which is told once', async () => {
    await leaves.apply(table('shop'))
    const { serialNumber } = leaf('shop')
    const { key } = await createRoot({ domain: 'localhost' })
    const own = readFileSync(paths.caKey, 'utf8')
    for (const broken of ['nonsense', key]) {
      writeFileSync(paths.caKey, broken)
      log = []
      for (let times = 0; times < 2; times += 1) await leaves.apply(table('shop', 'blog'))
      expect([files(), leaf('shop').serialNumber, log.length]).toEqual([['shop.pem'], serialNumber, 1])
    }
    writeFileSync(paths.caKey, own)
    await leaves.apply(table('shop', 'blog'))
    expect(files()).toEqual(['blog.pem', 'shop.pem'])
  })
})
