import { describe, expect, it } from 'vitest'
import { servedPort } from '../../../src/upkeep/running-caddy.js'

describe('the port that an unreachable Caddy serves', () => {
  it.each([
    ['is the one that was noted, whatever the system chose for names', [39_207, 44_661], 44_661, 44_661],
    ['is the lowest where the note is another’s', [8_080, 39_207], 9_000, 8_080],
    ['is the lowest without a note', [8_080, 39_207], undefined, 8_080],
    ['is that of https', [80, 443, 39_207], undefined, 443],
    ['is unknown when it listens on none', [], 8_080, undefined],
  ])('%s', (_, ports, noted, expected) => {
    expect(servedPort(ports, noted)).toBe(expected)
  })
})
