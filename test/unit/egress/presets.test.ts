// Owns that every preset is in order: hosts of others that a rule may name, as narrow as presets are meant to be.
import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/egress/decide.js'
import { networkPresets, presetRules } from '../../../src/egress/presets.js'
import { rulesOfText } from '../../../src/egress/rules-of-text.js'

/** Where anybody may keep files, for anybody to fetch. */
const shared =
  /^(storage\.googleapis\.com|(.+\.)?s3([.-][\w-]+)*\.amazonaws\.com|.+\.(blob\.core\.windows\.net|r2\.dev|r2\.cloudflarestorage\.com|web\.app|workers\.dev|pages\.dev|vercel\.app|netlify\.app|azureedge\.net|cloudfront\.net))$/

describe.each([...networkPresets().values()])('the preset $name', ({ for: purpose, hosts, name, see }) => {
  const rules = presetRules(name) ?? []

  it('has hosts in their one form, each once, of public names', () => {
    expect(name).toMatch(/^[a-z][a-z-]*$/)
    expect(purpose).toMatch(/^\S.*[^.]$/)
    expect(new Set(hosts).size).toBe(hosts.length)
    expect(new URL(see).protocol).toBe('https:')
    expect(rules.map(({ effect, text }) => ({ effect, text }))).toEqual(
      hosts.map((text) => ({ effect: 'allow', text })),
    )
    for (const { host } of rules) expect(host).toMatch(/^(\*\.)?([a-z\d]([a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/)
  })

  it('is about 80 and 443, and ssh of who is asked for repositories', () => {
    for (const { port } of rules) expect([undefined, 22]).toContain(port)
  })

  it('has of hosts that anybody may fill no more than paths of its own, and of domains only what lies below one', () => {
    for (const { host, paths } of rules) {
      if (host.startsWith('*.')) expect(host.split('.').length, host).toBeGreaterThan(2)
      // A bucket has a name of its own before that of its provider.
      if (shared.test(host.replace(/^[\w-]+\.s3\.amazonaws\.com$/, ''))) expect(paths, host).toBeDefined()
      for (const { path } of paths ?? []) expect(path).toMatch(/^\/[\w-]+\/\*\*$/)
    }
  })
})

it('a preset with a path allows it and nothing else there, and denies no more than it would allow', () => {
  const policyOf = (effect: 'allow' | 'deny', policy: 'permissive' | 'strict') => {
    const rules = rulesOfText('preset:puppeteer', effect, 'test')
    if (typeof rules === 'string') throw new Error(rules)
    return { policy, rules }
  }
  const allowed = (effect: 'allow' | 'deny', policy: 'permissive' | 'strict', path: string) =>
    decide(policyOf(effect, policy), { host: 'storage.googleapis.com', method: 'GET', path, port: 443 }).allowed
  const [own, other] = ['/chrome-for-testing-public/140/linux64/chrome.zip', '/anybody/loot']
  expect([allowed('allow', 'strict', own), allowed('allow', 'strict', other)]).toEqual([true, false])
  expect([allowed('deny', 'permissive', own), allowed('deny', 'permissive', other)]).toEqual([false, true])
})
