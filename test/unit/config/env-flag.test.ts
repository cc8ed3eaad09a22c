// Owns what `-e` takes, and that its errors never show a value.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isEnvName, parseEnvFlags } from '../../../src/config/env-flag.js'
import { caught } from './caught.js'

describe('parseEnvFlags', () => {
  it('takes values with and without a sign of their own, and from the environment', () => {
    const flags = ['A=1', 'B=x=y=', 'C=', 'D', 'A=2', 'E']
    expect(parseEnvFlags(flags, { D: 'from env', E: '' })).toEqual({ A: '2', B: 'x=y=', C: '', D: 'from env', E: '' })
    expect(parseEnvFlags([], { D: 'from env' })).toEqual({})
  })

  it('keeps any value of any valid name', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/), fc.string(), (name, value) => {
        expect(Object.entries(parseEnvFlags([`${name}=${value}`], {}))).toEqual([[name, value]])
      }),
    )
  })

  it.each([
    ['=s3cret', '-e needs a variable name before the value.', 'moat run -e KEY=value'],
    ['', '-e needs a variable name before the value.', 'moat run -e KEY=value'],
    [
      'my-key=s3cret',
      '-e got "my-key", which is not a variable name: use letters, digits and underscores, and no digit first.',
      'moat run -e KEY=value',
    ],
    [
      '1A=s3cret',
      '-e got "1A", which is not a variable name: use letters, digits and underscores, and no digit first.',
      'moat run -e KEY=value',
    ],
    ['TOKEN', '-e TOKEN takes its value from the environment, but TOKEN is not set there.', 'moat run -e TOKEN=value'],
  ])('refuses %j', async (flag, message, suggestion) => {
    const error = await caught(() => parseEnvFlags(['A=1', flag], { OTHER: 's3cret' }))
    expect(error).toEqual({ code: 'INVALID_ENV', exit: 2, message, suggestions: [suggestion] })
  })
})

it.each([
  ['A', true],
  ['_a1', true],
  ['', false],
  ['1a', false],
  ['a-b', false],
  ['a\n', false],
  ['\u00C9', false],
])('isEnvName(%j) is %s', (name, valid) => {
  expect(isEnvName(name)).toBe(valid)
})
