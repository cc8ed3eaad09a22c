// Owns what generated names are made of.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDnsLabel } from '../../../src/routing/dns-label.js'
import { adjectives, animals, generateName } from '../../../src/routing/generate-name.js'

describe('generateName', () => {
  it('takes its words by the random numbers it is given', () => {
    const numbers = [0, 0.999_999_999]
    expect(generateName(() => numbers.shift() ?? Number.NaN)).toBe('able-zebra')
  })

  it('is always an adjective and an animal, and a DNS label', () => {
    const random = fc.double({ max: 1, maxExcluded: true, min: 0, noNaN: true })
    fc.assert(
      fc.property(random, random, (first, second) => {
        const numbers = [first, second]
        const name = generateName(() => numbers.shift() ?? Number.NaN)
        const [adjective = '', animal = '', ...rest] = name.split('-')
        expect(name).toSatisfy(isDnsLabel)
        expect(adjectives).toContain(adjective)
        expect(animals).toContain(animal)
        expect(rest).toEqual([])
      }),
    )
  })

  it('has thousands of names, each once', () => {
    expect(new Set(adjectives).size).toBe(adjectives.length)
    expect(new Set(animals).size).toBe(animals.length)
    expect(adjectives.length * animals.length).toBeGreaterThan(4000)
  })

  it('does not repeat itself when nobody chooses the numbers', () => {
    expect(new Set(Array.from({ length: 50 }, () => generateName())).size).toBeGreaterThan(10)
  })
})
