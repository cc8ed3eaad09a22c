// Owns that a name of a file is one text and no other, whatever its bytes are.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rawName, systemName, textName } from '../../../src/config/raw-name.js'

const bytes = fc.uint8Array({ maxLength: 12 }).map((all) => Buffer.from(all).toString('latin1'))

const bytesOf = (name: Buffer | string) => (typeof name === 'string' ? Buffer.from(name) : name)

it('is what it is where it is UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(textName(rawName(name))).toBe(name)
    }),
  )
})

it('is like no other, and JSON keeps it', () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(textName(one) === textName(other)).toBe(one === other)
      expect(JSON.parse(JSON.stringify(textName(one)))).toBe(textName(one))
    }),
  )
  expect(textName('a\u00ff\u00c3\u00a4')).toBe('a\udcff\u00e4')
})

it('goes to the system as the bytes that came from there', () => {
  fc.assert(
    fc.property(bytes, (raw) => {
      expect(bytesOf(systemName(raw)).toString('latin1')).toBe(raw)
    }),
  )
})
