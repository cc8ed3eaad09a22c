// Owns what counts as near enough for "did you mean".
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearestName } from '../../../src/routing/nearest-name.js'
import { label } from './arbitraries.js'

const keys = ['name', 'ports', 'command', 'env', 'mounts', 'base_image']

describe('nearestName', () => {
  it.each([
    ['prots', 'ports'],
    ['port', 'ports'],
    ['PORTS', 'ports'],
    ['baseImage', 'base_image'],
    ['comand', 'command'],
    ['nv', 'env'],
    ['volumes', undefined],
    ['x', undefined],
    ['', undefined],
  ])('of %j is %j', (input, expected) => {
    expect(nearestName(input, keys)).toBe(expected)
  })

  it('takes the nearest, and the first of equals', () => {
    expect(nearestName('abcd', ['abxy', 'abce', 'abcf'])).toBe('abce')
    expect(nearestName('abcd', [])).toBeUndefined()
  })

  it('goes as far as it is told', () => {
    expect(nearestName('abcdef', ['abc'])).toBeUndefined()
    expect(nearestName('abcdef', ['abc'], 3)).toBe('abc')
    expect(nearestName('ports', ['ports'], 0)).toBe('ports')
  })

  it('counts an insertion, a deletion, a replacement and a swap as one each', () => {
    const text = fc.stringMatching(/^[a-z]{2,12}$/)
    fc.assert(
      fc.property(text, fc.nat(), fc.constantFrom('insert', 'delete', 'replace', 'swap'), (name, seed, edit) => {
        const at = seed % (name.length - 1)
        const tail = name.slice(at + 1)
        const edited = {
          delete: name.slice(0, at) + tail,
          insert: `${name.slice(0, at)}_${name.slice(at)}`,
          replace: `${name.slice(0, at)}_${tail}`,
          swap: `${name.slice(0, at)}${tail.slice(0, 1)}${name.slice(at, at + 1)}${tail.slice(1)}`,
        }[edit]
        expect(nearestName(edited, [name], 1)).toBe(name)
        if (edited !== name) expect(nearestName(edited, [name], 0)).toBeUndefined()
      }),
    )
  })

  it('is as far one way as the other', () => {
    fc.assert(
      fc.property(label, label, fc.nat({ max: 12 }), (a, b, distance) => {
        expect(nearestName(a, [b], distance) === b).toBe(nearestName(b, [a], distance) === a)
      }),
    )
  })
})
