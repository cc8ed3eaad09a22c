// Owns what a domain of the user's may be.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { domainProblem, longestDomain } from '../../../src/routing/domain.js'

describe('domainProblem', () => {
  it.each(['localhost', 'test', 'moat.test', 'dev.localhost', 'a.b.example.com', 'xn--bcher-kva.example', '1.test'])(
    'takes %s',
    (text) => expect(domainProblem(text)).toBeUndefined(),
  )

  it.each([
    '',
    '.',
    'com',
    'dev',
    'internal',
    'local',
    'moat.test.',
    '.moat.test',
    'moat..test',
    'MOAT.test',
    'mo_at.test',
    'mo at.test',
    'b\u00fccher.example',
    '-moat.test',
    'moat-.test',
    '127.0.0.1',
    '1.2',
    '2130706433',
    '0x7f.1',
    'moat.test:8080',
    'moat.test/x',
    '{http.request.host}.test',
    `${'a'.repeat(64)}.test`,
  ])('refuses %j', (text) => expect(domainProblem(text)).toEqual(expect.any(String)))

  it('leaves room for the longest names', () => {
    const fits = `${'a'.repeat(63)}.${'b'.repeat(longestDomain - 64)}`
    expect(domainProblem(fits)).toBeUndefined()
    expect(domainProblem(`${fits}b`)).toContain('at most 111 characters')
  })

  it('takes nothing that a config or a shell reads in another way', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (domainProblem(text) === undefined) expect(text).toMatch(/^[a-z0-9.-]+$/)
      }),
    )
  })
})
