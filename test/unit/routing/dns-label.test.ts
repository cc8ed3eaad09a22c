// Owns what a name may be, over generated texts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDnsLabel, suggestDnsLabel } from '../../../src/routing/dns-label.js'
import { label } from './arbitraries.js'

describe('isDnsLabel', () => {
  it.each([
    ['a', true],
    ['0', true],
    ['my-app-2', true],
    ['xn--caf-dma', true],
    ['xn--a', false],
    ['xn--', false],
    ['xn--99999999', false],
    ['a'.repeat(63), true],
    ['a'.repeat(64), false],
    ['', false],
    ['-a', false],
    ['a-', false],
    ['A', false],
    ['a.b', false],
    ['a_b', false],
    ['a b', false],
    ['caf\u00E9', false],
    ['a\n', false],
  ])('%j is %s', (name, valid) => {
    expect(isDnsLabel(name)).toBe(valid)
  })

  it('takes every label', () => {
    fc.assert(fc.property(label, (name) => isDnsLabel(name)))
  })

  it('takes nothing a URL would read differently', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9.-]*$/)), (name) => {
        fc.pre(isDnsLabel(name))
        const host = `${name}.localhost`
        expect(new URL(`http://${host}/`).hostname).toBe(host)
      }),
    )
  })
})

describe('suggestDnsLabel', () => {
  it.each([
    ['My App', 'my-app'],
    ['web_1', 'web-1'],
    ['xn--a', 'a'],
    ['XN--Shop', 'shop'],
    ['xn--', undefined],
    ['--Caf\u00E9!', 'cafe'],
    ['a'.repeat(70), 'a'.repeat(63)],
    [`${'a'.repeat(62)}_b`, 'a'.repeat(62)],
    ['\u65E5\u672C', undefined],
    ['', undefined],
  ])('of %j is %j', (text, expected) => {
    expect(suggestDnsLabel(text)).toBe(expected)
  })

  it('is a label or nothing, and nothing only for a text without letters and digits', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100, unit: 'binary' }), (text) => {
        const suggestion = suggestDnsLabel(text)
        if (suggestion !== undefined) expect(suggestion).toSatisfy(isDnsLabel)
        const usable = /[a-z0-9]/.test(text.normalize('NFKD').toLowerCase())
        expect(suggestion !== undefined).toBe(usable)
      }),
    )
    // To know all characters there are takes the generator a while.
  }, 30_000)

  it('of a label without two hyphens in a row is that label', () => {
    fc.assert(
      fc.property(label, (name) => {
        fc.pre(!name.includes('--'))
        expect(suggestDnsLabel(name)).toBe(name)
      }),
    )
  })
})
