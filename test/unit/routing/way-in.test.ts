import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { insideAddress, isLinkable } from '../../../src/routing/way-in.js'

describe('insideAddress', () => {
  // As Go's net.IP writes them, which is what Caddy looks up.
  it.each([
    ['run_1a2b3c4d5e6f', '1a2b:3c4d:5e6f::'],
    ['run_00010002000a', '1:2:a::'],
    ['run_1a2b00003c4d', '1a2b:0:3c4d::'],
    ['run_1a2b00000000', '1a2b::'],
    ['run_000000005e6f', '0:0:5e6f::'],
  ])('of %s is %s', (runId, address) => {
    expect(insideAddress(runId)).toBe(address)
  })

  it('is another for each run', () => {
    const runs = fc.uniqueArray(fc.stringMatching(/^run_[0-9a-f]{12}$/), { maxLength: 50 })
    fc.assert(
      fc.property(runs, (all) => {
        expect(new Set(all.map(insideAddress)).size).toBe(all.length)
      }),
    )
  })
})

describe('isLinkable', () => {
  it('says whether a socket can have the name of a host', () => {
    expect(isLinkable('web.my-app.localhost')).toBe(true)
    expect(isLinkable('a'.repeat(98))).toBe(true)
    expect(isLinkable('a'.repeat(99))).toBe(false)
  })
})
