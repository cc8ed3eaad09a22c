// Owns that text of others cannot do anything to a terminal.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { visible, visibleLines } from '../../../src/config/visible.js'
import { formatPowers } from '../../../src/terminal/format-powers.js'

it.each([
  ['plain text, ünïcode, 漢字', 'plain text, ünïcode, 漢字'],
  ['\u001b[2J', '\\u{1b}[2J'],
  ['a\nb\tc\r', 'a\\u{a}b\\u{9}c\\u{d}'],
  ['\u009b1m', '\\u{9b}1m'],
  ['a\u202eb\u200bc\u2028', 'a\\u{202e}b\\u{200b}c\\u{2028}'],
])('shows %j on one line', (text, shown) => {
  expect(visible(text)).toBe(shown)
})

it('keeps lines and tabs of longer text, and drops colours', () => {
  expect(visibleLines('\u001b[31mred\u001b[0m\n\tnext\u0007')).toBe('red\n\tnext\\u{7}')
})

const control = /\p{C}/u

it('leaves no control character in anything', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0x10_ff_ff)), (points) => {
      const text = String.fromCodePoint(...points)
      const rest = visibleLines(text).replace(/[\n\t]/g, '')
      return !control.test(visible(text)) && !control.test(rest)
    }),
  )
})

it('lists a script of several lines whole, below its name', () => {
  const key = 'hooks' as const
  expect(
    formatPowers([
      { key, name: 'hooks.pre_run', place: 'moat.yaml:2:3', value: 'one\n  two\n' },
      { key: 'dns', mark: '+', name: 'dns', value: '1.1.1.1' },
    ]),
  ).toEqual(['    hooks.pre_run  (moat.yaml:2:3)', '      | one', '      |   two', '  + dns            1.1.1.1'])
})
